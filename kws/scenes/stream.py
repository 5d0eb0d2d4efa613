"""Lay a stream: the words of a split over backgrounds at random gaps, with ground truth."""

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kws.audio.clip import Clip
from kws.augment.seed import digest, generator
from kws.augment.surroundings import cut_background
from kws.errors import KwsError
from kws.labels import SILENCE, UNKNOWN
from kws.scenes.conditions import Surroundings, babble_background, say_in_rooms, talkers_of
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.params import StreamParams
from kws.scenes.section import (
    MARGIN_MS,
    Background,
    RenderedSection,
    Section,
    Utterance,
    cut_utterance,
    render_section,
    schedule,
)

Sections = list[Section[Utterance]]


def is_stream_word(clip: Clip) -> bool:
    """Clean clips of keywords and of other words are laid; copies and silence are not."""
    return clip.augmentation == "none" and clip.label != SILENCE


def lay_streams(
    clips: Iterable[Clip], surroundings: Surroundings, params: StreamParams, stream_id: str
) -> Iterator[tuple[np.ndarray, GroundTruth]]:
    """Lays one stream, or where `params.conditions` names some, the same words in each of them.

    The streams of all conditions say the same words at the same times; `<stream id>-<condition>` is
    what each is called. Randomness comes from `params.seed` and the names alone.

    Args:
      clips: as for `lay_stream`.
      surroundings: of the split.
      params: as for `lay_stream`, and the conditions.
      stream_id: name of the stream.

    Raises:
      KwsError: see `lay_stream`; a condition lacks rooms or talkers.
    """
    clips = list(clips)
    if not params.conditions:
        rng = generator(params.seed, "stream", stream_id)
        yield lay_stream(clips, surroundings.backgrounds, params, stream_id, rng)
        return
    rng = generator(params.seed, "stream", stream_id)
    sections, rate = _plan(clips, surroundings.backgrounds, params, stream_id, rng)
    for name in params.conditions:
        rng = generator(params.seed, "stream", stream_id, name)
        yield _in_condition(name, sections, rate, clips, surroundings, params, stream_id, rng)


def lay_stream(
    clips: Iterable[Clip],
    backgrounds: Sequence[np.ndarray],
    params: StreamParams,
    stream_id: str,
    rng: np.random.Generator,
) -> tuple[np.ndarray, GroundTruth]:
    """Lays words until the stream has `params.minutes`, in one mixture of SNR and level.

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
    sections, rate = _plan(clips, backgrounds, params, stream_id, rng)
    turns = _in_turns(backgrounds, rng)
    rendered = [render_section(section, next(turns), rate, params, rng) for section in sections]
    return _joined(sections, rendered, rate, stream_id)


def _plan(
    clips: Iterable[Clip],
    backgrounds: Sequence[np.ndarray],
    params: StreamParams,
    stream_id: str,
    rng: np.random.Generator,
) -> tuple[Sections, int]:
    """Which word is said when, and the rate of all."""
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
    return sections, rates[0]


def _in_condition(
    name: str,
    sections: Sections,
    sample_rate: int,
    clips: Sequence[Clip],
    surroundings: Surroundings,
    params: StreamParams,
    stream_id: str,
    rng: np.random.Generator,
) -> tuple[np.ndarray, GroundTruth]:
    condition = params.condition(name)
    if condition.rooms:
        sections = say_in_rooms(sections, surroundings.rooms, rng)
    turns = _in_turns(surroundings.backgrounds, rng)
    if condition.background == "babble":
        talkers = talkers_of(surroundings, clips, condition.talkers, stream_id)
        babble = functools.partial(babble_background, talkers, condition.talkers)
        turns = itertools.repeat(babble)
    levels = itertools.cycle(condition.level_dbfs or (params.level_dbfs,))
    rendered = []
    for section in sections:
        update = {"snr_db": condition.snr_db, "level_dbfs": next(levels)}
        own = params.model_copy(update=update)
        rendered.append(
            render_section(section, next(turns), sample_rate, own, rng, condition.clipped)
        )
    audio, truth = _joined(sections, rendered, sample_rate, f"{stream_id}-{name}")
    return audio, truth.model_copy(update={"condition": name})


def _joined(
    sections: Sections, rendered: Sequence[RenderedSection], sample_rate: int, stream_id: str
) -> tuple[np.ndarray, GroundTruth]:
    truth = GroundTruth(
        stream_id=stream_id,
        kind="words",
        duration_ms=sections[-1].stop_ms,
        sample_rate=sample_rate,
        words=tuple(
            utterance.said_at(start_ms, snr_db)
            for section, sound in zip(sections, rendered, strict=True)
            for (start_ms, utterance), snr_db in zip(section.words, sound.snr_db, strict=True)
        ),
    )
    return _join(sections, rendered, sample_rate), truth


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


def _in_turns(backgrounds: Sequence[np.ndarray], rng: np.random.Generator) -> Iterator[Background]:
    """Endless: each background once in every round."""
    while True:
        for place in rng.permutation(len(backgrounds)):
            yield functools.partial(cut_background, backgrounds[int(place)])


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
