"""Label files, as other tools read them."""

from kws.scenes.ground_truth import GroundTruth, Span, Word
from kws.scenes.label_files import audacity_labels, tutorial_labels


def word(label: str, said: str, start_ms: int, end_ms: int) -> Word:
    return Word(
        label=label, word=said, start_ms=start_ms, end_ms=end_ms, speaker="s", source="t",
        clip_id="c",
    )  # fmt: skip


TRUTH = GroundTruth(
    stream_id="s",
    kind="words",
    duration_ms=9000,
    sample_rate=16000,
    words=(word("yes", "yes", 100, 501), word("_unknown_", "bed", 7000, 7400)),
    negatives=(Span(start_ms=2000, end_ms=6000),),
)


def test_the_speech_tutorial_reads_the_clip_around_each_word():
    text = tutorial_labels(TRUTH, 1000)
    assert text == "yes, 0.000000\n_unknown_, 6700.000000\n"
    # As its StreamingAccuracyStats does: two parts between commas, a label and a float.
    parts = [line.strip().split(",") for line in text.splitlines()]
    assert [(label, round(float(time))) for label, time in parts] == [
        ("yes", 0),
        ("_unknown_", 6700),
    ]


def test_audacity_reads_seconds_between_tabs_in_order():
    assert audacity_labels(TRUTH) == (
        "0.100000\t0.501000\tyes\n"
        "2.000000\t6.000000\t(no keyword)\n"
        "7.000000\t7.400000\t_unknown_: bed\n"
    )
