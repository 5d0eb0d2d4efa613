"""A pushed bundle judged on one labelled recording: the tutorial's test, and ours."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kws.detect import Heard, Spotter, listen_to
from kws.detection.match import MatchedStream, match
from kws.detection.params import MatchParams
from kws.detection.rates import Figures, count
from kws.detection.tutorial import TOLERANCE_MS, TutorialAccuracy, tutorial_accuracy
from kws.labels import RESERVED

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth

MS_PER_HOUR = 3_600_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamTest:
    """What came of it.

    Attributes:
      heard: the recording and its detections.
      truth: what was said in it.
      tutorial: see `kws.detection.tutorial`.
      matched: every word with its outcome, and every false accept.
      figures: these, counted, with bounds.
    """

    heard: Heard
    truth: "GroundTruth"
    tutorial: TutorialAccuracy
    matched: MatchedStream
    figures: Figures

    @property
    def word_ends_known(self) -> bool:
        """Else a latency, which is counted from there, says nothing."""
        from kws.scenes.label_files import CLIP

        return all(word.source != CLIP for word in self.truth.words)

    def events(self) -> list[dict[str, Any]]:
        """A row for each word and each false accept, in order of time."""
        rows = [
            {
                "kind": outcome.kind,
                "said": outcome.word.label,
                "said_ms": outcome.word.start_ms,
                "detected": outcome.detection.label if outcome.detection else None,
                "detected_ms": outcome.detection.end_ms if outcome.detection else None,
                "score": outcome.detection.score if outcome.detection else None,
            }
            for outcome in self.matched.outcomes
        ]
        rows += [
            {
                "kind": f"false_accept ({accept.cause})",
                "said": accept.word.word or accept.word.label if accept.word else None,
                "said_ms": accept.word.start_ms if accept.word else None,
                "detected": accept.detection.label,
                "detected_ms": accept.detection.end_ms,
                "score": accept.detection.score,
            }
            for accept in self.matched.false_accepts
            if accept.cause != "wrong_word"  # its word's row says so
        ]
        return sorted(rows, key=lambda row: row["detected_ms"] or row["said_ms"] or 0)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "file": str(self.heard.path),
            "duration_ms": self.truth.duration_ms,
            "tutorial": dataclasses.asdict(self.tutorial),
            "figures": self.figures.to_dict(),
            "events": self.events(),
        }


def run(
    spotter: Spotter,
    recording: Path,
    labels: Path,
    match_params: MatchParams,
    tolerance_ms: float = TOLERANCE_MS,
) -> StreamTest:
    """Listens to the recording and holds what was detected against its labels.

    Words that are no keyword of the bundle are nothing that could be detected: by the tutorial's
    count, too, a detection there is a false positive.

    Raises:
      KwsError: one of the files cannot be read.
    """
    from kws.scenes.label_files import read_labels, tutorial_time_ms

    params = spotter.frontend.params
    heard = listen_to(spotter, recording)
    duration_ms = len(heard.audio) * 1000 // params.sample_rate
    clip_ms = params.clip_duration_ms
    truth = read_labels(labels, spotter.model.labels, duration_ms, params.sample_rate, clip_ms)
    keywords = [word for word in truth.words if word.label not in RESERVED]
    tutorial = tutorial_accuracy(
        [(found.label, found.end_ms - clip_ms) for found in heard.detections],
        [(word.label, tutorial_time_ms(word, clip_ms)) for word in keywords],
        tolerance_ms,
    )
    matched = match(heard.detections, truth, match_params)
    figures = count(
        matched.outcomes,
        {"words": matched.false_accepts, "negatives": []},
        {"words": duration_ms / MS_PER_HOUR, "negatives": 0.0},
    )
    return StreamTest(heard=heard, truth=truth, tutorial=tutorial, matched=matched, figures=figures)
