"""A new model on the streams of an old run: the threshold chosen on eval, judged on test."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kws import features
from kws.audio.read import read
from kws.gates import Gate
from kws.micro.load import Int8Any
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.vary import VARIED_FOLDER
from kws.splits import EVAL, TEST
from kws.streaming.evaluate import StreamingReport, evaluate_streams
from kws.streaming.gates import streaming_gates
from kws.streaming.operating_point import OperatingPoint, choose_operating_point
from kws.streaming.params import StreamingParams
from kws.streaming.posteriors import stream_posteriors
from kws.streaming.scored_stream import StreamPosteriors
from kws.streaming.sensitivities import Sensitivities
from pipeline.parents import Parents

LONGEST_STREAM_MS = 24 * 3_600_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamVerdict:
    """What the StreamingEvaluator would say of the new model.

    Attributes:
      before: the old model's `test` section of `evaluation.json`.
      after: the new model's report on the test streams.
      point: its threshold, chosen on the eval streams.
      gates: the run's, held against `after`.
      sensitivities: with their errors on both splits; None where none is named.
      figures: for the bundle's `evaluation.json`.
    """

    before: dict[str, Any]
    after: StreamingReport
    point: OperatingPoint
    gates: list[Gate]
    sensitivities: Sensitivities | None
    figures: dict[str, Any]


def judge_streams(parents: Parents, model: Int8Any, say: Callable[[str], None]) -> StreamVerdict:
    """Scores every stream of the run that made the parents.

    Raises:
      KwsError: no threshold can be chosen.
    """
    params = parents.streaming
    scored = {
        split: _score(parents.streams / f"Split-{split}", split, model, params, say)
        for split in (EVAL, TEST)
    }
    varied = _score(parents.streams / VARIED_FOLDER, VARIED_FOLDER, model, params, say)
    labels = model.labels
    point = choose_operating_point(
        scored[EVAL], labels, params.detector, params.match, params.operating_point, varied
    )
    reports = {
        split: evaluate_streams(some, labels, point.detector, params.match)
        for split, some in scored.items()
    }
    named = point.sensitivities
    if named is not None:
        named = named.measure(TEST, scored[TEST], labels, point.detector, params.match)
    written = json.loads((parents.evaluation / "evaluation.json").read_text())
    return StreamVerdict(
        before=written[TEST],
        after=reports[TEST],
        point=point,
        gates=streaming_gates(reports[TEST], params.gates),
        sensitivities=named,
        figures={
            "operating_point": point.to_dict(),
            **({} if named is None else {"sensitivities": named.to_dict()}),
            **{split: reports[split].to_dict() for split in (TEST, EVAL)},
        },
    )


def _score(
    folder: Path, name: str, model: Int8Any, params: StreamingParams, say: Callable[[str], None]
) -> list[StreamPosteriors]:
    frontend = features.create(model.feature_params)
    wavs = sorted(folder.glob("*.wav"))
    scored = []
    for number, wav in enumerate(wavs, start=1):
        say(f"listening to {name} stream {number} of {len(wavs)}")
        rate = model.feature_params.sample_rate
        audio = read(wav, rate, max_duration_ms=LONGEST_STREAM_MS).audio
        stride_ms = params.detector.clip_stride_ms
        times_ms, posteriors = stream_posteriors(model, frontend, audio, stride_ms)
        truth = GroundTruth.from_json(wav.with_suffix(".json").read_text())
        scored.append(StreamPosteriors(truth=truth, times_ms=times_ms, posteriors=posteriors))
    return scored
