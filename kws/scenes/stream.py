"""Lay a stream: the words of a split over backgrounds at random gaps, with ground truth."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kws.audio.clip import Clip
from kws.augment.seed import digest
from kws.errors import KwsError
from kws.labels import SILENCE, UNKNOWN
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.params import StreamParams
from kws.scenes.schedule import Section, schedule
from kws.scenes.section import RenderedSection, render_section
from kws.scenes.utterance import MARGIN_MS, Utterance, cut_utterance


def is_stream_word(clip: Clip) -> bool:
    """Clean clips of keywords and of other words are laid; copies and silence are not."""
    return clip.augmentation == "none" and clip.label != SILENCE


def lay_stream(
    clips: Iterable[Clip],
    backgrounds: Sequence[np.ndarray],
    params: StreamParams,
    stream_id: str,
    rng: np.random.Generator,
) -> tuple[np.ndarray, GroundTruth]:
    """Lays words until the stream has `params.minutes`.

    Keywords and other words each come in the order of a hash of seed, stream and clip, so the
    order of `clips` does not matter; a clip comes again only when all of its kind were laid.
    Backgrounds take turns, a section of some 30 s each, with crossfades in the gaps between words.

    Args:
      clips: of one split, all at one rate; those that `is_stream_word` refuses are passed over.
      backgrounds: int16 recordings at the same rate, in a stable order.
      params: length, gaps, levels, share of `_unknown_` words (of no effect where the clips are
        all of one kind).
      stream_id: name of the stream.
      rng: the stream's own generator.

    Returns:
      int16 `[samples]` and the ground truth.

    Raises:
      KwsError: no clip can be laid, clips differ in rate, or there is no background.
    """
    words = [clip for clip in clips if is_stream_word(clip)]
    margin_ms = min(MARGIN_MS, int(params.gap_s[0] * 1000 / 3))
    said = _in_turn(words, params, stream_id, margin_ms, rng)
    rates = sorted({clip.sample_rate for clip in words})
    if len(rates) != 1:
        raise KwsError(
            f"stream {stream_id} has {len(words)} clips of words, at the rates {rates} Hz",
            hint="a stream needs clips of words in its split, all at one rate",
        )
    if not backgrounds:
        raise KwsError(f"stream {stream_id} has no background to lay words over")
    sections = schedule(said, params.gap_s, int(params.minutes * 60_000), margin_ms, rng)
    turns = _turns(len(backgrounds), rng)
    rendered = [
        render_section(section, backgrounds[next(turns)], rates[0], params, rng)
        for section in sections
    ]
    truth = GroundTruth(
        stream_id=stream_id,
        kind="words",
        duration_ms=sections[-1].stop_ms,
        sample_rate=rates[0],
        words=tuple(
            utterance.said_at(start_ms, snr_db)
            for section, sound in zip(sections, rendered, strict=True)
            for (start_ms, utterance), snr_db in zip(section.words, sound.snr_db, strict=True)
        ),
    )
    return _join(sections, rendered, rates[0]), truth


def _in_turn(
    clips: Sequence[Clip],
    params: StreamParams,
    stream_id: str,
    margin_ms: int,
    rng: np.random.Generator,
) -> Iterator[Utterance]:
    """Endless utterances, of keywords and of other words by the configured share."""
    keywords = _shuffled(
        [c for c in clips if c.label != UNKNOWN], params.seed, stream_id, margin_ms
    )
    others = _shuffled([c for c in clips if c.label == UNKNOWN], params.seed, stream_id, margin_ms)
    first_keyword, first_other = next(keywords, None), next(others, None)
    if first_keyword is None and first_other is None:
        raise KwsError(
            f"stream {stream_id} has no word to lay among {len(clips)} clips",
            hint="its split needs clean clips of keywords or other words that are not silent",
        )
    while True:
        other = rng.random() < params.unknown_share
        if first_other is not None and (other or first_keyword is None):
            yield first_other
            first_other = next(others)
        else:
            assert first_keyword is not None
            yield first_keyword
            first_keyword = next(keywords)


def _shuffled(
    clips: Sequence[Clip], seed: int, stream_id: str, margin_ms: int
) -> Iterator[Utterance]:
    """The clips in hash order, over and over in new orders; digital silence is passed over."""
    silent: set[str] = set()
    turn = 0
    while len(silent) < len(clips):
        for clip in sorted(clips, key=lambda c: digest(seed, stream_id, turn, c.clip_id)):
            if clip.clip_id in silent:
                continue
            utterance = cut_utterance(clip, margin_ms)
            if utterance.rms > 0:
                yield utterance
            else:
                silent.add(clip.clip_id)
        turn += 1


def _turns(count: int, rng: np.random.Generator) -> Iterator[int]:
    """Endless indices: each background once in every round."""
    while True:
        yield from (int(i) for i in rng.permutation(count))


def _join(
    sections: Sequence[Section[Utterance]], rendered: Sequence[RenderedSection], sample_rate: int
) -> np.ndarray:
    """One array, each section written once; equal-power crossfades where two meet."""
    joined = np.zeros(sections[-1].stop_ms * sample_rate // 1000, np.int16)
    for section, sound in zip(sections, rendered, strict=True):
        begin = (section.start_ms - section.fade_in_ms // 2) * sample_rate // 1000
        first = (section.start_ms + section.fade_in_ms // 2) * sample_rate // 1000
        fade = first - begin
        phase = np.linspace(0.0, np.pi / 2, fade)
        crossed = joined[begin:first] * np.cos(phase) + sound.audio[:fade] * np.sin(phase)
        joined[begin:first] = np.rint(crossed).clip(-32768, 32767)
        joined[first : begin + len(sound.audio)] = sound.audio[fade:]
    return joined
