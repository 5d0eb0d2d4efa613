"""Reads and writes the ground truth of a recording in the file formats of this and other tools.

- `NAME.json`: everything that is known, as `kws synth stream` writes it.
- `NAME.txt` or `NAME.csv`, with lines `label, time`: TensorFlow's speech tutorial; the time in ms
  is the start of a clip with the word in its middle.
- The same with lines `label, start, end`: the word's own bounds, in ms.
- The same with lines of start, end (seconds) and label separated by tabs: Audacity's labels; its
  frequency lines, which start with a backslash, are skipped.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pydantic

from kws.errors import KwsError
from kws.labels import RESERVED, label_of, refuse_near_matches
from kws.scenes.ground_truth import GroundTruth, Word

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


_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?")
_NOT_FINITE = {f"{sign}{name}" for sign in ("", "+", "-") for name in ("nan", "inf", "infinity")}
CLIP = "clip"
"""Source of a word of which only a clip's beginning is known: where in it the word ends is not."""


def read_labels(
    path: Path, labels: Sequence[str], duration_ms: int, sample_rate: int, clip_duration_ms: int
) -> GroundTruth:
    """The words of a recording; those that are none of the labels become `_unknown_`.

    Args:
      path: of one of the formats above, told apart by content.
      labels: of the model's outputs.
      duration_ms: of the recording.
      sample_rate: of the recording, Hz.
      clip_duration_ms: of the clips that the tutorial's times are of.

    Raises:
      KwsError: names the line that is none of these, or lies outside the recording, or the label
        that only looks like one of the model's.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise KwsError(f"{path} cannot be read as labels: {error}") from None
    if text.lstrip().startswith("{"):
        try:
            words = list(GroundTruth.from_json(text).words)
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "JSON"
            raise KwsError(
                f"{path} is no ground truth of a stream: {where}: {first['msg']}",
                hint="`kws synth stream` writes one",
            ) from None
    else:
        lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        if lines and _is_header(lines[0][1]):
            lines = lines[1:]
        parsed = (_word(f"{path}:{n}", line, clip_duration_ms) for n, line in lines)
        words = [word for word in parsed if word is not None]
    refuse_near_matches({word.label: str(path) for word in words}, labels)
    known = [
        word.model_copy(update={"label": label_of(word.label, labels)})
        for word in sorted(words, key=lambda word: (word.start_ms, word.end_ms))
    ]
    for word in known:
        for time_ms, latest_ms in (
            (word.start_ms, duration_ms - 1),
            (word.end_ms, duration_ms + clip_duration_ms),  # a clip may reach beyond the end
        ):
            if not 0 <= time_ms <= latest_ms:
                raise KwsError(
                    f"{path}: {word.word or word.label!r} at {time_ms / 1000:g} s is outside the "
                    f"recording of {duration_ms / 1000:g} s",
                    hint="times of `label, time` lines are in ms",
                )
        if word.end_ms < word.start_ms:
            raise KwsError(
                f"{path}: {word.word or word.label!r} at {word.start_ms / 1000:g} s ends before it "
                f"starts, at {word.end_ms / 1000:g} s"
            )
    return GroundTruth(
        stream_id=path.stem,
        kind="words",
        duration_ms=duration_ms,
        sample_rate=sample_rate,
        words=tuple(known),
    )


def tutorial_time_ms(word: Word, clip_duration_ms: int) -> float:
    """Where a clip with the word in its middle begins."""
    return max(0.0, (word.start_ms + word.end_ms - clip_duration_ms) / 2)


def _is_header(line: str) -> bool:
    parts = [part.strip() for part in line.split(",")]
    return len(parts) in (2, 3) and not any(_looks_like_a_number(part) for part in parts)


def _word(where: str, line: str, clip_duration_ms: int) -> Word | None:
    """The word of a line; None for one that is not about a word."""
    if line.startswith("\\"):
        return None  # Audacity's lowest and highest frequency of the label before
    tabbed = line.rstrip("\n").split("\t")
    if len(tabbed) >= 3 and _is_number(tabbed[0]) and _is_number(tabbed[1]):
        title = tabbed[2].strip()
        if title == NO_KEYWORD:
            return None
        start_s, end_s = float(tabbed[0]), float(tabbed[1])
        if not title or end_s < start_s:
            wrong = "has no label" if not title else "ends before it starts"
            raise KwsError(f"{where}: {line.strip()!r} {wrong}")
        return _made(title, 1000 * start_s, 1000 * end_s)
    parts = [part.strip() for part in line.split(",")]
    if len(parts) in (2, 3) and parts[0] and all(_is_number(part) for part in parts[1:]):
        start_ms = float(parts[1])
        end_ms = float(parts[2]) if len(parts) == 3 else start_ms + clip_duration_ms
        if end_ms < start_ms:
            raise KwsError(f"{where}: {parts[0]!r} ends before it starts: {line.strip()!r}")
        return _made(parts[0], start_ms, end_ms, "labels" if len(parts) == 3 else CLIP)
    strange = [part for part in (*tabbed, *parts) if part.strip().lower() in _NOT_FINITE]
    if strange:
        raise KwsError(
            f"{where}: {line.strip()!r}: {strange[0].strip()!r} is not a time",
            hint="correct or remove the line",
        )
    raise KwsError(
        f"{where}: {line.strip()!r} is no label",
        hint="`label, time in ms`, `label, start, end in ms`, or Audacity's labels",
    )


def _made(title: str, start_ms: float, end_ms: float, source: str = "labels") -> Word:
    label, _, said = title.partition(": ")
    return Word(
        label=label,
        word=said or ("" if label in RESERVED else label),
        start_ms=round(start_ms),
        end_ms=round(end_ms),
        speaker="",
        source=source,
        clip_id="",
    )


def _looks_like_a_number(text: str) -> bool:
    """To Python, or by having no letter in it."""
    try:
        float(text)
    except ValueError:
        return not any(character.isalpha() for character in text)
    return True


def _is_number(text: str) -> bool:
    """A plain one: Python also reads `nan`, `inf` and `1_000`."""
    return _NUMBER.fullmatch(text.strip()) is not None
