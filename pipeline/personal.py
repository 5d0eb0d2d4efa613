"""A run's model, fitted to one user: from the run's artifacts to a bundle of its own."""

import dataclasses
import datetime
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kws.audio import clip as clips
from kws.errors import KwsError
from kws.features import files
from kws.features.example import FeatureExample
from kws.gates import Gate
from kws.labels import SILENCE
from kws.micro import bundle, feature_reader, golden_vectors, load, representative, validate
from kws.micro.contents import BundleContents
from kws.micro.convert import Conversion, Labelled, convert
from kws.micro.figures import MicroFigures
from kws.models import registry
from kws.models.params import ModelParams
from kws.splits import EVAL, TEST, TRAIN, Split
from kws.training import warm_start
from kws.training.callbacks import EpochReport, StepReport
from kws.training.export import TRAINING_FILE
from kws.training.params import TrainingParams
from kws.training.personal_comparison import Comparison, compare, worse
from kws.training.personalize import PersonalizeParams, fine_tune
from kws.training.user_clips import UserClips, read_clips
from kws.training.user_examples import examples_of, replayed
from pipeline.parents import Parents
from pipeline.personal_streams import StreamVerdict, judge_streams

Say = Callable[[str], None]
HELD_OUT_COPIES = 10
_BACKGROUNDS = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class Personalized:
    """What came of it.

    Attributes:
      clips: what was recorded.
      comparison: of the two int8 models on clips.
      streams: of the two on the run's streams.
      refused: why no bundle was written, a sentence each; empty if one was.
      bundle: its folder.
    """

    clips: UserClips
    comparison: Comparison
    streams: StreamVerdict
    refused: tuple[str, ...]
    bundle: Path | None


def personalize(
    parents: Parents,
    folder: Path,
    keyword: str | None,
    params: PersonalizeParams,
    destination: Path,
    say: Say,
) -> Personalized:
    """Fine-tunes, converts, judges, and writes a bundle if nothing speaks against it.

    Args:
      parents: of the model.
      folder, keyword: see `kws.training.user_clips.read_clips`.
      params: see there.
      destination: folder of versions.
      say: is told what is being done.

    Raises:
      KwsError: of the clips, of the architecture, or of the conversion.
    """
    labels, feature_params = files.read_labels(parents.float_model), files.read(parents.float_model)
    recorded = read_clips(
        folder, keyword, labels, feature_params, params.held_out_share, params.seed
    )
    say(
        f"{recorded.keyword_clips} clips of keywords: {len(recorded.held_out)} kept back to judge "
        f"by, the others to learn from, with {params.copies} noisy copies each"
    )

    def heard(some: Sequence[clips.Clip], copies: int, split: Split) -> list[FeatureExample]:
        backgrounds = _backgrounds(parents.audio / f"Split-{split}")
        copying = parents.noisy_copies
        return examples_of(
            some, backgrounds, copying, copies, split, labels, feature_params, params.seed
        )

    own = heard(recorded.train, params.copies, TRAIN)
    held_out = heard(recorded.held_out, HELD_OUT_COPIES, EVAL)
    say("reading the original examples")
    train, judged, tested = (
        list(feature_reader.read(parents.features / f"Split-{split}", feature_params))
        for split in (TRAIN, EVAL, TEST)
    )
    written = json.loads((parents.float_model / TRAINING_FILE).read_text())
    model_params = ModelParams(**written["model"])
    if registry.output(model_params.name) == "steps":
        raise KwsError(f"{model_params.name} learns from scenes: it cannot learn from clips")
    model = registry.build(
        model_params,
        feature_params.feature_shape,
        len(labels),
        context_frames=feature_params.context_frames,
    )
    warm_start.start_from(model, parents.float_model, model_params, labels, feature_params)
    replay = replayed(train, params.replay, params.seed)
    say(f"learning from {len(own)} examples of the user and {len(replay)} original ones")
    original = TrainingParams(**written["training"])
    fine_tune(
        model, [*own, *replay], judged, labels, feature_params, original, params, _Epochs(say)
    )
    say("converting to int8")
    conversion = convert(
        model,
        _labelled(
            representative.choose(
                train, parents.conversion.representative_examples, parents.conversion.seed
            )
        ),
        _labelled(judged),
        labels,
        feature_params,
        parents.conversion,
        model_params,
    )
    before = load.load_folder(parents.int8_model)
    after = load.of_content(conversion.model, labels, feature_params, conversion.kind)
    say("comparing it with the old one on clips")
    # On test: the old model's epoch was chosen on eval, which flatters it there.
    comparison = compare(before, after, held_out, tested)
    streams = judge_streams(parents, after, say)

    chosen = golden_vectors.choose(tested, parents.budget.test_vectors)
    inputs = after.quantize(np.stack([example.features for example in chosen]))
    stride_ms = streams.point.detector.clip_stride_ms
    micro = validate.measure(conversion.model, after, inputs, parents.budget, stride_ms=stride_ms)
    gates = [*streams.gates, *validate.budget_gates(micro, parents.budget)]
    refused = [*worse(comparison, params.max_drop), *(g.sentence() for g in gates if not g.passed)]
    made = None
    if not refused:
        say("writing the bundle")
        vectors = tuple(golden_vectors.make(after, chosen))
        contents = _contents(parents, conversion, recorded, comparison, streams, micro, gates)
        made = bundle.push(dataclasses.replace(contents, vectors=vectors), destination)
    return Personalized(
        clips=recorded,
        comparison=comparison,
        streams=streams,
        refused=tuple(refused),
        bundle=made,
    )


def _contents(
    parents: Parents,
    conversion: Conversion,
    recorded: UserClips,
    comparison: Comparison,
    streams: StreamVerdict,
    micro: MicroFigures,
    gates: Sequence[Gate],
) -> BundleContents:
    now = datetime.datetime.now(datetime.timezone.utc)
    figures: dict[str, Any] = {
        "conversion": json.loads(conversion.figures.model_dump_json()),
        "personalization": {
            "clips": recorded.keyword_clips,
            "held_out": len(recorded.held_out),
            **comparison.to_dict(),
        },
        "micro": micro.model_dump(),
        "streaming": streams.figures,
    }
    described = f"{parents.info['data']}; fitted to one user by {recorded.keyword_clips} clips"
    return BundleContents(
        name=f"{parents.info['name']}-personal",
        version=now.strftime("%Y%m%d%H%M%S"),
        created=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        model=conversion.model,
        float_io=conversion.float_io,
        microwakeword=conversion.microwakeword,
        labels=tuple(files.read_labels(parents.float_model)),
        feature_params=files.read(parents.float_model),
        detector=streams.point.detector,
        micro=micro,
        gates=tuple(gates),
        figures=figures,
        vectors=(),
        info={**parents.info, "data": described},
        kind=conversion.kind,
        sensitivities=streams.sensitivities,
    )


def _backgrounds(split_folder: Path) -> list[np.ndarray]:
    """The sound of the run's `_silence_` clips: pieces of its backgrounds."""
    found = []
    for serialized in feature_reader.records(split_folder):
        # Looked for in the bytes first: most clips are words.
        if SILENCE.encode() in serialized:
            clip = clips.decode(serialized)
            if clip.audio.any():
                found.append((clip.clip_id, clip.audio))
    return [audio for _, audio in sorted(found, key=lambda item: item[0])[:_BACKGROUNDS]]


def _labelled(examples: Sequence[FeatureExample]) -> Labelled:
    return Labelled(
        features=np.stack([example.features for example in examples]),
        label_index=np.array([example.label_index for example in examples], np.int64),
    )


class _Epochs:
    """Tells of each epoch."""

    def __init__(self, say: Say):
        self._say = say

    def on_step(self, report: StepReport) -> None:
        pass

    def on_epoch(self, report: EpochReport, labels: Sequence[str]) -> None:
        self._say(
            f"epoch {report.epoch} of {report.epochs}: eval split {report.eval_accuracy:.1%} right"
        )
