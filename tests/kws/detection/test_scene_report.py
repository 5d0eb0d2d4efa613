"""Scenes judged: chimes against words, and the gates."""

import numpy as np

from kws.detection.scene_report import (
    SceneEvaluationParams,
    ScoredScene,
    evaluate_scenes,
    scene_gates,
)
from kws.gates import verdict
from kws.scenes.ground_truth import GroundTruth, Word


def word(label, start_ms, end_ms):
    return Word(
        label=label, word=label, start_ms=start_ms, end_ms=end_ms, speaker="", source="", clip_id=""
    )


def scene(scene_id, words, ones):
    """10 s, 1,000 steps; the model says 1 in the given ranges of steps."""
    scores = np.zeros(1000)
    for start, stop in ones:
        scores[start:stop] = 0.9
    labels = np.zeros(1000, np.int64)
    for said in words:
        if said.label == "activate":
            labels[said.end_ms // 10 + 1 : said.end_ms // 10 + 51] = 1
    return ScoredScene(
        truth=GroundTruth(
            stream_id=scene_id, kind="words", duration_ms=10_000, sample_rate=16000,
            words=tuple(words),
        ),
        labels=labels,
        scores=scores,
        times_ms=(np.arange(1000) + 1) * 10,
    )  # fmt: skip


SCENES = [
    scene("a", [word("activate", 1000, 1600), word("activate", 5000, 5600)], [(161, 211)]),
    scene("b", [word("_unknown_", 2000, 2500)], [(255, 265), (700, 705)]),
]


def test_chimes_are_hits_misses_and_false_accepts_of_the_words():
    report = evaluate_scenes(SCENES, "activate", SceneEvaluationParams())
    total = report.chimes.total
    assert (total.words, total.hits, total.misses, total.false_accepts) == (2, 1, 1, 2)
    assert total.false_accepts_by_cause["unknown_word"] == 1
    assert total.false_accepts_by_cause["background"] == 1
    assert total.latency_ms_median == 20  # step 161, which is over at 1,620 ms
    assert report.steps.confusion[1] == (50, 50) and report.steps.false_positives == 15
    assert "1 of 2 words hit" in report.sentences()


def test_only_the_limits_that_are_set_are_held_and_no_scenes_bless_nothing():
    report = evaluate_scenes(SCENES, "activate", SceneEvaluationParams())
    assert verdict(scene_gates(report, SceneEvaluationParams())) == "blessed"
    strict = SceneEvaluationParams(min_f1=0.5, max_miss_rate=0.4, max_false_accepts_per_hour=1)
    passed = {gate.name: gate.passed for gate in scene_gates(report, strict)}
    assert passed == {
        "scenes.evaluated": True,
        "scenes.step_f1": True,
        "scenes.miss_rate": False,
        "scenes.false_accepts_per_hour": False,
    }
    nothing = evaluate_scenes([], "activate", SceneEvaluationParams())
    assert verdict(scene_gates(nothing, SceneEvaluationParams())) == "refused"
