"""Ground truth as the text files that other tools read."""

from kws.scenes.ground_truth import GroundTruth

NO_KEYWORD = "(no keyword)"


def tutorial_labels(truth: GroundTruth, clip_duration_ms: int) -> str:
    """A line `label, time` for each word, as TensorFlow's speech tutorial writes and reads them.

    Its `generate_streaming_test_wav` lays clips with the word in their middle and notes where the
    clip begins, in ms; its `test_streaming_accuracy` compares that with where the window begins in
    which a word was found. So the time is that of a clip of `clip_duration_ms` with the word in its
    middle.
    """
    lines = []
    for word in truth.words:
        time_ms = (word.start_ms + word.end_ms - clip_duration_ms) / 2
        lines.append(f"{word.label}, {max(0.0, time_ms):f}\n")
    return "".join(lines)


def audacity_labels(truth: GroundTruth) -> str:
    """A label track for Audacity: start and end in seconds and the label, between tabs.

    Words that are no keyword are `_unknown_: word`; sections without any are `(no keyword)`.
    """
    rows = [(word.start_ms, word.end_ms, _title(word.label, word.word)) for word in truth.words] + [
        (span.start_ms, span.end_ms, NO_KEYWORD) for span in truth.negatives
    ]
    return "".join(
        f"{start_ms / 1000:.6f}\t{end_ms / 1000:.6f}\t{title}\n"
        for start_ms, end_ms, title in sorted(rows)
    )


def _title(label: str, word: str) -> str:
    return label if word in ("", label) else f"{label}: {word}"
