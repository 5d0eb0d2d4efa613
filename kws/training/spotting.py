"""Training of a keyword spotter at every step of its clips, taught by heads on an embedding.

The clips are longer than the context of one posterior (`FeatureParams.context_ms`), so the network
answers at each step of them, some forty times. With z_k the logits of the keywords at the steps of
a clip, relative to that of anything else, so that p_k = exp(z_k) / (1 + sum exp(z_j)); m_k the
logit of p_k, a that of any keyword and a_k that of any but k (for one keyword m = a = z, without
a_k); t the teacher's posteriors at the same times, u its logits, v its probability of silence, and
e its embedding, a clip of keyword k costs

    softplus(-soft maximum of m_k)                     keyword k occurs somewhere in the clip
    + hardest_weight softplus(max a_k)                 and no other keyword does

any other clip, with s the logit of silence

    mean softplus(a) + hardest_weight softplus(max a)  no keyword occurs anywhere
    + silence_weight mean BCE(s, v)                    v = 1 in clips labelled silence

and all

    posterior_weight mean CE(p, t)               what the teacher says, step by step
    logit_weight mean huber(z - u)               its own logits: how much of a keyword is in a
                                                 sound for which t is 0 in any case
    embedding_weight mean |W h - e|^2            what the teacher hears (h: the last activations)
    ranking_weight softplus(margin + h - l)      for the highest h of other clips' maxima and the
                                                 lowest l of the keywords' clips in the batch

The last is what false accepts at a fixed rate of misses depend on: the upper tail of one
distribution against the lower tail of the other. The layer W serves the training alone.
"""

import dataclasses
import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws.errors import KwsError
from kws.labels import RESERVED, SILENCE, UNKNOWN
from kws.models.mixed_net import LOGITS, SILENCE_LOGITS, logits_of
from kws.speech.network import EMBEDDING_HOP_MS, EMBEDDING_SIZE
from kws.training import spec_augment
from kws.training.dataset import Dataset
from kws.training.objective import EVAL_BATCH, Evaluation, LabelEvaluator, Objective
from kws.training.params import TrainingParams
from kws.training.spec_augment import draw_cuts, spliced
from kws.training.teacher import (
    FIRST_EMBEDDING_MS,
    Teacher,
    evidence,
    posteriors_of,
    soft_maximum,
    train_teacher,
)

if TYPE_CHECKING:
    import tensorflow as tf

    from kws.features.params import FeatureParams

log = logging.getLogger(__name__)

_EMBEDDING_EVERY = 3
"""Steps from one at which the embedding is asked for to the next: it changes every 80 ms."""
_BATCH = 64
"""Clips whose logits are computed at a time."""
_OTHERS_QUANTILE = 0.99
"""Of the other clips' strongest steps: its logit becomes 0, a posterior of one half."""
_KEYWORD_LOGIT = 4.0
"""What the median of the keyword's clips becomes at the most: a posterior of 0.98."""
_MOST_LOGIT = 12.0
"""Of the teacher's logits; a network of another size cannot be asked for more."""
_SPLICE = 4
"""Sets its seed apart from those of `spec_augment`."""
_RANKED = 8
"""Of the highest maxima of a batch; twice as many of the lowest of the keyword's clips."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Taught:
    """What a teacher says of a training set, by the steps of the student.

    Attributes:
      posteriors: float16 `[examples, steps, keywords]`.
      logits: float16 `[examples, steps, keywords]`, the mean of the heads', within `_MOST_LOGIT`.
      silence: float16 `[examples, steps, 1]`, its probability where no keyword is said.
      embeddings: float16 `[examples, asked steps, 96]`, each channel of mean 0 and deviation 1.
      places: float32 `[steps]`, where in the clip the sound of each step ends: 0 to 1.
      fingerprint: of the teacher, the clips' embeddings and the student's steps.
    """

    posteriors: np.ndarray
    logits: np.ndarray
    silence: np.ndarray
    embeddings: np.ndarray
    places: np.ndarray
    fingerprint: str

    @property
    def of_examples(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What is said of each example: posteriors, logits, silence, embeddings."""
        return self.posteriors, self.logits, self.silence, self.embeddings


def training_form(model: "tf.keras.Model", embedding_size: int = 0) -> "tf.keras.Model":
    """The model with its steps as the output: `[batch, steps, logits + 1 + embedding_size]`.

    Channels are the model's own logits (`kws.models.mixed_net.logits_of` many), that of silence,
    then the embedding as the last activations predict it. All layers but that of the embedding are
    the model's own.

    Raises:
      KwsError: the model does not answer at every step, or not by ending sigmoid.
    """
    import tensorflow as tf

    names = [layer.name for layer in model.layers]
    if not {LOGITS, SILENCE_LOGITS, "strongest_step"} <= set(names):
        raise KwsError(
            f"training.spotting: model {model.name} does not answer at every step of a clip, or "
            "does not tell silence apart where no keyword is said",
            hint="model.name=mixed_net with options ending=sigmoid and padding=none, and "
            "features.context_ms below clip_duration_ms",
        )
    head = model.get_layer(f"{LOGITS}_head")
    outputs = [model.get_layer(LOGITS).output, model.get_layer(SILENCE_LOGITS).output]
    layers = tf.keras.layers
    # Layers with names: those of plain operations count up, and checkpoints go by the names.
    if embedding_size:
        predicted = layers.Conv2D(embedding_size, head.kernel_size, name="embedding")(head.input)
        outputs.append(layers.Reshape((-1, embedding_size), name="embedding_steps")(predicted))
    joined = layers.Concatenate(name="steps")(outputs)
    return tf.keras.Model(model.input, joined, name=f"{model.name}_steps")


def step_times_ms(params: "FeatureParams", steps: int, frames_per_step: int) -> np.ndarray:
    """float64 `[steps]`: where in a clip the sound of each step's last frame ends; the last of
    them with the clip's last frame."""
    frames = params.feature_shape[0] - frames_per_step * np.arange(steps)[::-1]
    return (frames - 1) * params.window_stride_ms + params.window_size_ms


def taught(
    teacher: Teacher,
    embeddings: np.ndarray,
    times_ms: np.ndarray,
    asked: Sequence[int] | np.ndarray,
) -> Taught:
    """What the teacher says at the student's steps, interpolated between its own.

    Args:
      embeddings: `[n, embeddings, 96]` of the examples.
      times_ms: of the student's steps.
      asked: the steps at which the embedding itself is asked for.
    """
    outputs = teacher.outputs(embeddings)
    logits = outputs[..., :-1]
    own_ms = teacher.step_times_ms(logits.shape[2])
    place = np.clip((times_ms - own_ms[0]) / EMBEDDING_HOP_MS, 0, len(own_ms) - 1)
    before = place.astype(int)
    after = np.minimum(before + 1, len(own_ms) - 1)
    rest = (place - before).astype(np.float32)[:, None]

    def at_steps(values: np.ndarray) -> np.ndarray:
        return (values[:, before] * (1 - rest) + values[:, after] * rest).astype(np.float16)

    nearest = np.rint((times_ms[list(asked)] - FIRST_EMBEDDING_MS) / EMBEDDING_HOP_MS).astype(int)
    nearest = np.clip(nearest, 0, embeddings.shape[1] - 1)
    mean, deviation = channel_statistics(embeddings)
    targets = np.empty((len(embeddings), len(nearest), embeddings.shape[2]), np.float16)
    for start in range(0, len(embeddings), 512):
        some = embeddings[start : start + 512, nearest].astype(np.float32)
        targets[start : start + 512] = (some - mean) / deviation
    # Not of the posteriors: those may differ in the last bit when a killed training resumes.
    digest = hashlib.sha256(f"{teacher.fingerprint} {times_ms.tolist()} {list(asked)}".encode())
    digest.update(np.ascontiguousarray(embeddings).data)
    return Taught(
        posteriors=at_steps(posteriors_of(logits).mean(axis=0)),
        logits=at_steps(np.clip(logits.mean(axis=0), -_MOST_LOGIT, _MOST_LOGIT)),
        silence=at_steps(posteriors_of(outputs[..., -1:]).mean(axis=0)),
        embeddings=targets,
        places=(times_ms / times_ms[-1]).astype(np.float32),
        fingerprint=digest.hexdigest()[:16],
    )


def asked_steps(steps: int) -> np.ndarray:
    """int `[asked]`: the steps at which the embedding is predicted."""
    return np.arange(0, steps, _EMBEDDING_EVERY)


def prepare(
    spotter: "tf.keras.Model",
    train: Dataset,
    embeddings: Dataset | None,
    params: TrainingParams,
    feature_params: "FeatureParams",
    frames_per_step: int,
    checkpoint_dir: str | Path | None = None,
) -> "tuple[tf.keras.Model, Dataset, SpottingObjective]":
    """What `kws.training.fit` is to be given: a model, its training examples, and the objective.

    The teacher is trained here, where there is to be one.

    Args:
      spotter: as `kws.models.registry.build` made it, for a context shorter than the clips.
      train: training examples, in memory.
      embeddings: of the same clips, by the frontend `speech_embedding`.
      params: with `spotting`.
      feature_params: of `train`.
      frames_per_step: of the model.
      checkpoint_dir: the teacher's heads are kept there.

    Raises:
      KwsError: the model is not a spotter, or the examples do not fit the teacher.
    """
    assert params.spotting is not None
    wanted = params.spotting.teacher
    trainee = training_form(spotter, EMBEDDING_SIZE if wanted is not None else 0)
    if train.features is None:
        raise KwsError(
            f"training.spotting needs its {len(train)} examples in memory, and they do not fit "
            f"into training.cache_bytes={params.cache_bytes}",
            hint="allow more memory, or make fewer noisy copies",
        )
    said = None
    if wanted is not None:
        if embeddings is None:
            raise KwsError(
                "training.spotting.teacher needs the speech embedding of the examples",
                hint="set it to null: the model then learns from the labels alone",
            )
        heard = aligned(embeddings, train.clip_ids)
        is_keyword = train.label_index >= len(RESERVED)
        if is_keyword.all() or not is_keyword.any():
            raise KwsError(
                f"{int(is_keyword.sum())} of {len(is_keyword)} training clips are of a keyword: "
                "training.spotting needs clips of keywords and of other sound"
            )
        teacher = train_teacher(
            heard,
            train.label_index,
            len(train.labels) - len(RESERVED),
            wanted,
            seed=params.seed,
            checkpoint_dir=checkpoint_dir,
        )
        steps = trainee.output_shape[1]
        times_ms = step_times_ms(feature_params, steps, frames_per_step)
        said = taught(teacher, heard, times_ms, asked_steps(steps))
    objective = SpottingObjective(params, train.labels, spotter, said)
    targets = objective.targets(train.label_index)
    return trainee, dataclasses.replace(train, targets=targets), objective


def spread_posteriors(spotter: "tf.keras.Model", trainee: "tf.keras.Model", train: Dataset) -> None:
    """Shifts and scales the logits of a trained spotter, see `spread_logits`."""
    outputs = logits_of(len(train.labels))
    strongest = [
        strongest_logits(
            trainee(features.astype(np.float32) * np.float32(train.scale), training=False).numpy()[
                :, :, :outputs
            ]
        )
        for features, _ in train.in_order(_BATCH)
    ]
    head = spotter.get_layer(f"{LOGITS}_head")
    spread_logits(head, np.concatenate(strongest), train.label_index >= len(RESERVED))


def strongest_logits(logits: np.ndarray) -> np.ndarray:
    """Highest of a clip's steps and keywords, relative to anything else: `[n]` of `[n, steps,
    logits]`, the model's own."""
    if logits.shape[2] > 1:
        logits = logits[:, :, 1:] - logits[:, :, :1]
    return logits.max(axis=(1, 2))


def spread_logits(
    head: "tf.keras.layers.Layer", strongest: np.ndarray, is_keyword: np.ndarray
) -> None:
    """Shifts and scales a head's logits so that thresholds lie within the range of int8.

    Trained at their strongest steps, clips of the keyword reach logits of 10 and more, and few
    others 5. A sigmoid in int8 has 256 steps, of which not one would lie between the two. The order
    of one keyword's posteriors, and so the model's errors at its best threshold, stay as they are.
    Of several keywords the logits are scaled alone: a clip's label stays what it was.

    Args:
      head: the layer of kernel and bias that gives the logits.
      strongest: the highest logit of each training clip, see `strongest_logits`.
      is_keyword: which of them are of a keyword.
    """
    kernel, bias = head.get_weights()
    middle = 0.0
    if bias.shape[-1] == 1:
        middle = float(np.quantile(strongest[~is_keyword], _OTHERS_QUANTILE))
    scale = max(1.0, (float(np.median(strongest[is_keyword])) - middle) / _KEYWORD_LOGIT)
    log.info("A keyword's logit z becomes (z - %.2f) / %.2f", middle, scale)
    head.set_weights([kernel / scale, (bias - middle) / scale])


def aligned(embeddings: Dataset, clip_ids: Sequence[str]) -> np.ndarray:
    """The embeddings of the clips, in their order.

    Raises:
      KwsError: a clip has none, or they are not in memory.
    """
    rows = {clip: row for row, clip in enumerate(embeddings.clip_ids)}
    if embeddings.features is None:
        raise KwsError(
            f"the speech embeddings of {len(embeddings)} training clips do not fit into "
            "training.cache_bytes",
            hint="allow more memory, or make fewer noisy copies",
        )
    missing = [clip for clip in clip_ids if clip not in rows]
    if missing:
        raise KwsError(
            f"{len(missing)} of {len(clip_ids)} training clips have no speech embedding, "
            f"{missing[0]} among them",
            hint="both must be computed from the same audio examples",
        )
    return embeddings.features[[rows[clip] for clip in clip_ids]]


class SpottingObjective(Objective):
    """The costs above; trains what `training_form` gives."""

    def __init__(
        self,
        params: TrainingParams,
        labels: Sequence[str],
        spotter: "tf.keras.Model",
        said: Taught | None,
    ):
        """Args:
        params: `spotting` and SpecAugment's masks are read.
        labels: of the examples, keywords last.
        spotter: the model whose clip posteriors are evaluated; it shares its layers with the one
          that is trained.
        said: by the teacher of the training examples, in their order.
        """
        assert params.spotting is not None
        self._own = params.spotting
        self._asked = asked_steps(0 if said is None else said.posteriors.shape[1])
        self._keywords = len(labels) - len(RESERVED)
        self._logits = logits_of(len(labels))
        # A shift would part the clip from what the teacher says of its steps.
        self._masks = params.model_copy(update={"time_shift_frames": 0})
        self._silence, self._unknown = map(list(labels).index, (SILENCE, UNKNOWN))
        self._spotter = spotter
        self._said = said

    @property
    def fingerprint(self) -> str:
        return f"{type(self).__name__} {self._said.fingerprint if self._said else ''}"

    def target_spec(self, batch_size: int) -> "tf.TensorSpec":
        """float16 `[batch, columns]`: label index, then what the teacher says (`_parts`)."""
        import tensorflow as tf

        return tf.TensorSpec([batch_size, None], tf.float16)

    def targets(self, label_index: np.ndarray) -> np.ndarray:
        """What a dataset is to yield beside the features; see `target_spec`."""
        columns = [label_index[:, None].astype(np.float16)]
        if self._said is not None:
            count = len(label_index)
            said = self._said.of_examples
            columns += [values.reshape(count, -1) for values in said]
        return np.concatenate(columns, axis=1)

    def prepare(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", seed: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        import tensorflow as tf

        targets = tf.cast(targets, tf.float32)
        if self._own.splice_share:
            inputs, targets = self._spliced(inputs, targets, tf.random.fold_in(seed, _SPLICE))
        return spec_augment.augment(inputs, self._masks, seed), targets

    def _spliced(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", seed: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        """See `spec_augment`: what the teacher said of a whole clip holds for its parts."""
        import tensorflow as tf

        label, taught = targets[:, :1], targets[:, 1:]
        cuts = draw_cuts(label[:, 0] == float(self._unknown), self._own.splice_share, seed)
        frames = inputs.shape[1]
        columns = [label]
        if self._said is not None:
            places = self._said.places
            asked = tf.constant(places[asked_steps(len(places))])
            each = (*[tf.constant(places)] * 3, asked)
            for said, own_places in zip(self._parts(taught), each, strict=True):
                joined = spliced(said, own_places, cuts)
                columns.append(tf.reshape(joined, [-1, said.shape[1] * said.shape[2]]))
        frames_end = (tf.range(frames, dtype=tf.float32) + 1) / frames
        return spliced(inputs, frames_end, cuts), tf.concat(columns, axis=1)

    def _parts(self, taught: "tf.Tensor") -> "list[tf.Tensor]":
        """See `Taught.of_examples`, of a batch."""
        import tensorflow as tf

        assert self._said is not None
        shapes = [values.shape[1:] for values in self._said.of_examples]
        parts = tf.split(taught, [rows * columns for rows, columns in shapes], axis=1)
        return [tf.reshape(part, [-1, *shape]) for part, shape in zip(parts, shapes, strict=True)]

    def losses(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", outputs: "tf.Tensor"
    ) -> "tf.Tensor":
        """Costs of the batch as a whole are the same for each of its examples."""
        import tensorflow as tf

        own = self._own
        logits, silence_logits = self._relative(outputs), outputs[:, :, self._logits]
        label = targets[:, 0]
        keyword = tf.cast(label >= len(RESERVED), tf.float32)
        other = 1.0 - keyword
        said, wrong, any_keyword = evidence(logits, tf.cast(label, tf.int32) - len(RESERVED))
        strongest, highest = soft_maximum(said), tf.reduce_max(wrong, axis=1)
        # Each kind counts as much as the other, however many there are of it.
        count = tf.cast(tf.shape(label)[0], tf.float32)
        losses = tf.nn.softplus(-strongest) * keyword * count / (tf.reduce_sum(keyword) + 1.0)
        each = tf.reduce_mean(tf.nn.softplus(any_keyword), axis=1)
        losses += each * other * count / (tf.reduce_sum(other) + 1.0)
        losses += own.hardest_weight * tf.nn.softplus(highest)
        is_silence = tf.cast(label == float(self._silence), tf.float32)
        is_silence = tf.repeat(is_silence[:, None], tf.shape(logits)[1], axis=1)
        if self._said is not None:
            # Other sound is silent at some steps, and some of what nobody labelled is nothing else.
            _, _, silence, _ = self._parts(targets[:, 1:])
            is_silence = tf.maximum(is_silence, silence[:, :, 0])
        cost = tf.nn.sigmoid_cross_entropy_with_logits(is_silence, silence_logits)
        losses += own.silence_weight * tf.reduce_mean(cost, axis=1) * other
        if own.ranking_weight:
            losses += own.ranking_weight * self._ranking(strongest, highest, keyword)
        if self._said is not None:
            losses += self._teaching(logits, targets, outputs)
        return losses

    def _relative(self, outputs: "tf.Tensor") -> "tf.Tensor":
        """`[batch, steps, keywords]`: logits of the keywords, relative to that of anything else."""
        if self._logits == 1:
            return outputs[:, :, :1]
        return outputs[:, :, 1 : self._logits] - outputs[:, :, :1]

    def _ranking(
        self, strongest: "tf.Tensor", highest: "tf.Tensor", keyword: "tf.Tensor"
    ) -> "tf.Tensor":
        """Scalar: the batch's highest other clips against its lowest clips of the keyword."""
        import tensorflow as tf

        size = tf.shape(keyword)[0]
        others = tf.where(keyword > 0, -1e9, highest)
        words = tf.where(keyword > 0, -strongest, -1e9)
        above = tf.math.top_k(others, tf.minimum(_RANKED, size)).values
        below = -tf.math.top_k(words, tf.minimum(2 * _RANKED, size)).values
        # A batch with fewer of a kind: the fillers differ by so much that they cost nothing.
        gap = self._own.ranking_margin + above[:, None] - below[None, :]
        real = tf.cast((above > -1e8)[:, None] & (below < 1e8)[None, :], tf.float32)
        cost = tf.nn.softplus(tf.minimum(gap, 1e4)) * real
        return tf.reduce_sum(cost) / tf.maximum(tf.reduce_sum(real), 1.0)

    def _teaching(
        self, logits: "tf.Tensor", targets: "tf.Tensor", outputs: "tf.Tensor"
    ) -> "tf.Tensor":
        """float32 `[batch]`."""
        import tensorflow as tf

        posteriors, own, _, heard = self._parts(targets[:, 1:])
        # Cross entropy over anything else and the keywords.
        cost = tf.nn.softplus(tf.reduce_logsumexp(logits, axis=2))
        cost -= tf.reduce_sum(posteriors * logits, axis=2)
        losses = self._own.posterior_weight * tf.reduce_mean(cost, axis=1)
        if self._own.logit_weight:
            off = tf.keras.losses.huber(own, logits)
            losses += self._own.logit_weight * tf.reduce_mean(off, axis=1)
        if self._own.embedding_weight:
            predicted = tf.gather(outputs[:, :, self._logits + 1 :], self._asked, axis=1)
            distance = tf.reduce_mean(tf.square(predicted - heard), axis=(1, 2))
            losses += self._own.embedding_weight * distance
        return losses

    def accuracy(self, targets: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """Share of the clips whose keyword, or that there is none, their strongest step tells."""
        import tensorflow as tf

        logits = self._relative(outputs)
        posterior = logits - tf.nn.softplus(tf.reduce_logsumexp(logits, axis=2, keepdims=True))
        steps = tf.shape(logits)[1]
        found = tf.argmax(tf.reshape(posterior, [-1, steps * self._keywords]), axis=1)
        logit = tf.gather(
            tf.reshape(logits, [-1, steps * self._keywords]), found, axis=1, batch_dims=1
        )
        said = tf.where(logit >= 0, found % self._keywords, -1)
        meant = tf.maximum(tf.cast(targets[:, 0], tf.int64) - len(RESERVED), -1)
        return tf.reduce_mean(tf.cast(said == meant, tf.float32))

    def evaluator(self, model: "tf.keras.Model", data: Dataset) -> Callable[[], Evaluation]:
        return SpottingEvaluator(self._spotter, data)

    def judged(self, model: "tf.keras.Model") -> "tf.keras.Model":
        """See `Objective.judged`."""
        return self._spotter


class SpottingEvaluator(LabelEvaluator):
    """Scores a spotter on clips; epochs are told apart without regard to any threshold.

    Before its logits are spread, the posteriors of a spotter of one keyword are above one half at
    some step of many clips, and by how many says nothing of how well they can be told from it.
    """

    def __call__(self) -> Evaluation:
        """Best is the epoch with the largest area under the ROC curve of the clips' posteriors of
        the keyword; of several keywords, that with the highest accuracy."""
        evaluation = super().__call__()
        if len(self._data.labels) > len(RESERVED) + 1:
            return evaluation
        batches = self._data.in_order(EVAL_BATCH)
        posteriors = [self._predict(features).numpy()[:, -1] for features, _ in batches]
        area = roc_area(np.concatenate(posteriors), self._data.label_index >= len(RESERVED))
        return evaluation.model_copy(
            update={
                "merit": (area, -evaluation.cross_entropy),
                "metrics": {**evaluation.metrics, "roc_area": area},
            }
        )


def roc_area(scores: np.ndarray, positive: np.ndarray) -> float:
    """The chance that a positive scores higher than another, ties counting half.

    Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic
    (ROC) curve", Radiology 143, 1982.

    Args:
      scores: `[n]`.
      positive: bool `[n]`.

    Returns:
      0 to 1; one half where all are of one kind.
    """
    ours, others = scores[positive], np.sort(scores[~positive])
    if not len(ours) or not len(others):
        return 0.5
    below = np.searchsorted(others, ours, side="left")
    up_to = np.searchsorted(others, ours, side="right")
    return float((below + up_to).mean() / (2 * len(others)))


def channel_statistics(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation float32 `[96]` over all rows, without a float32 copy of them all."""
    total = np.zeros(embeddings.shape[2])
    squares = np.zeros_like(total)
    for start in range(0, len(embeddings), 512):
        some = embeddings[start : start + 512].astype(np.float64)
        total += some.sum(axis=(0, 1))
        squares += (some**2).sum(axis=(0, 1))
    count = embeddings.shape[0] * embeddings.shape[1]
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0)) + 1e-3
    return mean.astype(np.float32), deviation.astype(np.float32)
