"""The screen at the end of a run: what it says of the streams."""

import numpy as np
import pytest

from kws.detection.evaluate import evaluate_streams
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.scenes.ground_truth import Span
from pipeline.runs.summary import _stream_sentence
from tests.kws.detection.drawing import LABELS, row, said, truth


@pytest.mark.parametrize(
    ("hours", "synthesized", "said_so"),
    [(0.1, True, "only 0.10 h of synthesized speech"), (0.1, False, "only 0.10 h of recordings")],
)
def test_false_accepts_that_no_recordings_stand_behind_are_said_to(
    hours: float, synthesized: bool, said_so: str
) -> None:
    words = truth(said("yes", 1_000, 1_500), stream_id="w")
    span = Span(start_ms=0, end_ms=int(hours * 3.6e6), synthesized=synthesized)
    voices = truth(kind="negatives", stream_id="n", duration_ms=span.end_ms)
    streams = [
        StreamPosteriors(
            truth=one, times_ms=np.arange(0, 1000, 40), posteriors=np.stack([row()] * 25)
        )
        for one in (words, voices.model_copy(update={"negatives": (span,)}))
    ]
    report = evaluate_streams(streams, LABELS, DetectorParams(), MatchParams())
    text = _stream_sentence({"test": report.to_dict()}).plain
    assert "judged against recorded speech" in text and said_so in text
