"""A teacher of keyword spotters: detection heads on the pretrained speech embedding.

The embedding has heard 200,000 hours of speech (see `kws.speech`), so a head that is trained on it
in half a minute knows strangers better than a small network does that is trained on the same clips
from nothing. The teacher is several heads that differ in their seed, averaged: single ones differ
by chance.

A head is trained on clips that are longer than what it hears, at every step of them. Of a clip of
the keyword nothing is known but that it is said somewhere in it, so the strongest step of the clip
answers for it ("multiple instance" or max-pooling training: Sun et al., "Max-pooling loss training
of long short-term memory networks for small-footprint keyword spotting", SLT 2016,
arXiv:1705.02411); of any other clip every step is an example of what is not the keyword. Heads tell
silence too, from any other sound without a keyword.

Half of the embedding's channels are dropped as a whole in training, others at every step, so that
no head rests on a few of them: of all that was tried, this made the heads most general (`python -m
benchmarks.wake_words --without channel-dropout`).
"""

import dataclasses
import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydantic

from kws import storage
from kws.labels import RESERVED, SILENCE
from kws.models import blocks
from kws.params import Params
from kws.speech.head import HeadParams
from kws.speech.network import EMBEDDING_HOP_MS, EMBEDDING_SIZE

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger(__name__)

FIRST_EMBEDDING_MS = 782
"""Where the sound of a clip's first embedding ends."""
_SHARPNESS = 2.0
"""Of the soft maximum over a clip's steps, in logits: higher is nearer to the hard maximum."""
_EVAL_BATCH = 512
_SILENCE = RESERVED.index(SILENCE)
_NEVER = -1e9
"""A logit of what is not to be."""


class TeacherParams(Params):
    """How the heads are trained."""

    heads: int = pydantic.Field(3, ge=1, le=16, description="of other seeds, averaged")
    embeddings: int = pydantic.Field(
        16, ge=8, le=64, description="that a head hears, one every 80 ms: 16 are 1.98 s"
    )
    head: HeadParams = HeadParams()
    channel_dropout: float = pydantic.Field(
        0.5, ge=0, lt=1, description="channels of the embedding that are dropped as a whole"
    )
    epochs: int = pydantic.Field(8, ge=1)
    batch_size: int = pydantic.Field(128, ge=8)
    learning_rate: float = pydantic.Field(2e-3, gt=0, description="peak, then a half cosine")
    weight_decay: float = pydantic.Field(1e-3, ge=0)
    hardest_weight: float = pydantic.Field(
        0.5, ge=0, description="of the strongest step of each clip that is not of the keyword"
    )

    @pydantic.model_validator(mode="after")
    def _fits(self) -> "TeacherParams":
        needed = self.head.layers * (self.head.kernel - 1) + 1
        if self.embeddings < needed:
            raise ValueError(
                f"embeddings={self.embeddings} are fewer than the {needed} that "
                f"{self.head.layers} convolutions of kernel {self.head.kernel} need"
            )
        return self

    @property
    def window_ms(self) -> int:
        """The sound that one posterior is of."""
        return FIRST_EMBEDDING_MS + (self.embeddings - 1) * EMBEDDING_HOP_MS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Teacher:
    """Trained heads.

    Attributes:
      heads: float32 `[batch, embeddings, 96]` to `[batch, steps, keywords + 1]`: logits of the
        keywords, relative to that of anything else, then the logit of silence where no keyword is.
      params: how they were trained.
    """

    heads: "Sequence[tf.keras.Model]"
    params: TeacherParams

    def outputs(self, embeddings: np.ndarray) -> np.ndarray:
        """float32 `[heads, n, steps, keywords + 1]` of `[n, embeddings, 96]`, see `heads`.

        Step k ends with embedding `k + params.embeddings - 1`.
        """
        steps = embeddings.shape[1] - self.params.embeddings + 1
        count = self.heads[0].output_shape[2]
        out = np.zeros((len(self.heads), len(embeddings), steps, count), np.float32)
        for start in range(0, len(embeddings), _EVAL_BATCH):
            batch = embeddings[start : start + _EVAL_BATCH].astype(np.float32)
            for number, head in enumerate(self.heads):
                out[number, start : start + _EVAL_BATCH] = head(batch, training=False).numpy()
        return out

    def posteriors(self, embeddings: np.ndarray) -> np.ndarray:
        """float32 `[n, steps, keywords]`: the mean over the heads, see `outputs`."""
        return posteriors_of(self.outputs(embeddings)[..., :-1]).mean(axis=0)

    def step_times_ms(self, steps: int) -> np.ndarray:
        """int64 `[steps]`: where in a clip the sound of each step ends."""
        return self.params.window_ms + EMBEDDING_HOP_MS * np.arange(steps)

    @property
    def fingerprint(self) -> str:
        """16 hex digits, equal for equal heads."""
        digest = hashlib.sha256()
        for head in self.heads:
            for weight in head.get_weights():
                digest.update(np.ascontiguousarray(weight).data)
        return digest.hexdigest()[:16]


def train_teacher(
    embeddings: np.ndarray,
    label_index: np.ndarray,
    keywords: int,
    params: TeacherParams,
    *,
    seed: int = 0,
    checkpoint_dir: str | Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Teacher:
    """Trains the heads, one after the other.

    Args:
      embeddings: `[n, embeddings, 96]` of training clips, at least `params.embeddings` each.
      label_index: int `[n]`, into `kws.labels.label_list` of the keywords.
      keywords: how many there are.
      params: sizes and rates.
      seed: of the first head; the others have the next ones.
      checkpoint_dir: heads are kept there, in a folder that `kws.training.checkpoint.clear`
        deletes, and taken from there if they are of the same data and settings; None keeps none.
      progress: is told the number of each finished head, from 1, and its loss.

    Raises:
      ValueError: clips that are shorter than what a head hears, or of one kind only.
    """
    if embeddings.shape[1] < params.embeddings:
        raise ValueError(
            f"clips of {embeddings.shape[1]} embeddings are shorter than the {params.embeddings} "
            "that a head hears"
        )
    is_keyword = label_index >= len(RESERVED)
    if is_keyword.all() or not is_keyword.any():
        raise ValueError(f"{int(is_keyword.sum())} of {len(is_keyword)} clips are of a keyword")
    key = _key(embeddings, label_index, params, seed)
    heads = []
    for number in range(params.heads):
        head = _build(params, keywords, seed + number)
        kept = Path(checkpoint_dir) / key / f"head-{number}.npz" if checkpoint_dir else None
        if kept is not None and kept.is_file():
            with np.load(kept) as weights:
                head.set_weights([weights[name] for name in weights.files])
            log.info("Head %d of %d is taken from %s", number + 1, params.heads, kept)
        else:
            loss = _fit(head, embeddings, label_index, params, seed + number)
            log.info("Head %d of %d of the teacher: loss %.4f", number + 1, params.heads, loss)
            if progress is not None:
                progress(number + 1, loss)
            if kept is not None:
                weights = {f"{i:03d}": weight for i, weight in enumerate(head.get_weights())}
                with storage.atomic_file(kept) as path, path.open("wb") as file:
                    np.savez(file, **weights)
        heads.append(head)
    return Teacher(heads=heads, params=params)


def soft_maximum(logits: "tf.Tensor", where: "tf.Tensor | None" = None) -> "tf.Tensor":
    """`[batch]` of `[batch, steps]`: near the highest of a clip's steps, and smooth; in graph.

    log(mean(exp(s z))) / s, so that equal steps give their own value.
    """
    import tensorflow as tf

    steps = tf.ones_like(logits) if where is None else where
    count = tf.maximum(tf.reduce_sum(steps, axis=1), 1.0)
    scaled = tf.where(steps > 0, logits * _SHARPNESS, -1e9)
    return (tf.reduce_logsumexp(scaled, axis=1) - tf.math.log(count)) / _SHARPNESS


def _build(params: TeacherParams, keywords: int, seed: int) -> "tf.keras.Model":
    """The head of `kws.speech.head`, to logits at every step of a clip of any length."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    layers, own = tf.keras.layers, params.head
    inputs = layers.Input((None, EMBEDDING_SIZE), name="embeddings")
    x = layers.BatchNormalization(momentum=own.batch_norm_momentum, name="embeddings_bn")(inputs)
    x = layers.SpatialDropout1D(params.channel_dropout, name="channels")(x)
    for number in range(1, own.layers + 1):
        x = layers.Conv1D(own.filters, own.kernel, use_bias=False, name=f"head_{number}")(x)
        x = blocks.normalized_relu(x, f"head_{number}", own.batch_norm_momentum)
    left = params.embeddings - own.layers * (own.kernel - 1)
    x = layers.Dropout(own.dropout, name="dropout_1")(x)
    x = layers.Conv1D(own.hidden_units, left, activation="relu", name="hidden")(x)
    x = layers.Dropout(own.dropout, name="dropout_2")(x)
    logits = layers.Conv1D(keywords + 1, 1, name="logits")(x)
    return tf.keras.Model(inputs, logits, name="teacher_head")


def _fit(
    head: "tf.keras.Model",
    embeddings: np.ndarray,
    label_index: np.ndarray,
    params: TeacherParams,
    seed: int,
) -> float:
    """Trains a head in place; returns the mean loss of its last epoch."""
    import tensorflow as tf

    batch = min(params.batch_size, len(embeddings))
    steps = len(embeddings) // batch
    rate = tf.keras.optimizers.schedules.CosineDecay(params.learning_rate, steps * params.epochs)
    optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=params.weight_decay, jit_compile=False)
    optimizer.build(head.trainable_variables)

    @tf.function(reduce_retracing=True, autograph=False)
    def step(inputs: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = _loss(head(inputs, training=True), label, params.hardest_weight)
        gradients = tape.gradient(loss, head.trainable_variables)
        optimizer.apply_gradients(zip(gradients, head.trainable_variables, strict=True))
        return loss

    rng = np.random.default_rng(seed)
    label = label_index.astype(np.int32)
    losses: list[float] = []
    for _ in range(params.epochs):
        order = rng.permutation(len(embeddings))
        rows = (order[number * batch : (number + 1) * batch] for number in range(steps))
        losses = [float(step(embeddings[some].astype(np.float32), label[some])) for some in rows]
    return float(np.mean(losses))


def _loss(outputs: "tf.Tensor", label: "tf.Tensor", hardest_weight: float) -> "tf.Tensor":
    """Scalar, of outputs `[batch, steps, keywords + 1]` and labels int32 `[batch]`; in graph."""
    import tensorflow as tf

    said = tf.cast(label >= len(RESERVED), tf.float32)
    other = 1.0 - said
    own, wrong, any_keyword = evidence(outputs[:, :, :-1], label - len(RESERVED))
    words = tf.reduce_sum(tf.nn.softplus(-soft_maximum(own)) * said)
    others = tf.reduce_sum(tf.reduce_mean(tf.nn.softplus(any_keyword), axis=1) * other)
    hardest = tf.nn.softplus(tf.reduce_max(wrong, axis=1))
    is_silence = tf.repeat(
        tf.cast(label == _SILENCE, tf.float32)[:, None], outputs.shape[1], axis=1
    )
    silence = tf.nn.sigmoid_cross_entropy_with_logits(is_silence, outputs[:, :, -1])
    return (
        words / (tf.reduce_sum(said) + 1.0)
        + (others + tf.reduce_sum(tf.reduce_mean(silence, axis=1) * other))
        / (tf.reduce_sum(other) + 1.0)
        + hardest_weight * tf.reduce_mean(hardest)
    )


def evidence(logits: "tf.Tensor", keyword: "tf.Tensor") -> "tuple[tf.Tensor, tf.Tensor, tf.Tensor]":
    """What logits say of each clip's keyword at every step; in graph.

    Args:
      logits: `[batch, steps, keywords]`, relative to that of anything else.
      keyword: int32 `[batch]`, below 0 for none.

    Returns:
      Three logits `[batch, steps]`: that the clip's keyword is said (meaningless without one), that
      another one is (any, where the clip has none), and that any is.
    """
    import tensorflow as tf

    is_own = tf.one_hot(keyword, logits.shape[2], on_value=True, off_value=False)[:, None]
    others = tf.reduce_logsumexp(tf.where(is_own, _NEVER, logits), axis=2)
    own = tf.reduce_sum(tf.where(is_own, logits, 0.0), axis=2) - tf.nn.softplus(others)
    return own, others, tf.reduce_logsumexp(logits, axis=2)


def posteriors_of(logits: np.ndarray) -> np.ndarray:
    """Of keywords on the last axis whose logits are relative to that of anything else, which is 0;
    for one keyword the sigmoid."""
    peak = np.maximum(logits.max(axis=-1, keepdims=True), 0.0)
    odds = np.exp(logits - peak)
    return odds / (odds.sum(axis=-1, keepdims=True) + np.exp(-peak))


def _key(embeddings: np.ndarray, label_index: np.ndarray, params: TeacherParams, seed: int) -> str:
    """16 hex digits of all that decides the heads."""
    digest = hashlib.sha256(f"teacher {params.model_dump_json()} {seed}".encode())
    digest.update(np.ascontiguousarray(embeddings).data)
    digest.update(np.ascontiguousarray(label_index).data)
    return digest.hexdigest()[:16]
