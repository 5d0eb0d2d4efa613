"""What a condition (`kws.scenes.params.ConditionParams`) is made with: babble, and rooms."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.audio.clip import Clip
from kws.augment.chain import in_room
from kws.augment.rooms import LONGEST_S, Room
from kws.augment.surroundings import babble
from kws.errors import KwsError
from kws.labels import UNKNOWN
from kws.scenes.section import MARGIN_MS, Section, Utterance, cut_utterance

BABBLE_RMS = 1600.0
"""Of babble as int16, before it is brought to the SNR: -26 dBFS leaves room for its peaks."""
MOST_WORD_TALKERS = 12
LOUDEST = 32767.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a split has to lay words over and to let them sound in.

    Attributes:
      backgrounds: int16 recordings at the clips' rate, in a stable order.
      talkers: int16 stretches of speech without keywords, for babble.
      rooms: at the clips' rate.
    """

    backgrounds: Sequence[np.ndarray]
    talkers: Sequence[np.ndarray] = ()
    rooms: Sequence[Room] = ()


def talkers_of(
    surroundings: Surroundings, clips: Sequence[Clip], count: tuple[int, int], stream_id: str
) -> list[np.ndarray]:
    """The talkers of a babble; where they are too few, the other words of the split talk as well.

    Raises:
      KwsError: there are fewer than `count[0]`.
    """
    talkers = list(surroundings.talkers)
    if len(talkers) < count[1]:
        talkers += _talkers_of_words(clips)
    if len(talkers) < count[0]:
        raise KwsError(
            f"stream {stream_id} has {len(talkers)} talkers for the condition babble, which asks "
            f"for {count[0]} to {count[1]}",
            hint="add recordings of speech without a keyword (data.sources: negatives) or clips of "
            "other words, or leave babble out of streams.conditions",
        )
    return talkers


def babble_background(
    talkers: Sequence[np.ndarray],
    count: tuple[int, int],
    num_samples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """int16 `[num_samples]` of `count[0]` to `count[1]` talkers at once, as far as there are."""
    most = min(count[1], len(talkers))
    mixed = babble(talkers, num_samples, rng, (min(count[0], most), most))
    return np.rint(mixed * BABBLE_RMS).clip(-32768, 32767).astype(np.int16)


def say_in_rooms(
    sections: Sequence[Section[Utterance]], rooms: Sequence[Room], rng: np.random.Generator
) -> list[Section[Utterance]]:
    """Every word in one of the rooms, drawn for it; the words stay where and as loud as they were.

    Raises:
      KwsError: there is no room.
    """
    if not rooms:
        raise KwsError("words are to sound in rooms, and there is no room")
    return [
        dataclasses.replace(
            section,
            words=tuple(
                (start_ms, utterance_in_room(word, rooms[int(rng.integers(len(rooms)))]))
                for start_ms, word in section.words
            ),
        )
        for section in sections
    ]


def utterance_in_room(word: Utterance, room: Room) -> Utterance:
    """The word and its reverberation, which goes on after it.

    The direct sound is where it was, and so are the bounds of the active speech. Where a peak would
    pass full scale, all is turned down.
    """
    rate = word.clip.sample_rate
    tail = np.zeros(round(LONGEST_S * rate), np.int16)
    start = word.margin_ms * rate // 1000
    active = slice(start, start + word.duration_ms * rate // 1000)
    wet = in_room(np.concatenate([word.audio, tail]), active, room)
    gain = min(1.0, LOUDEST / float(np.abs(wet).max(initial=1.0)))
    return dataclasses.replace(
        word, audio=np.rint(wet * gain).astype(np.int16), rms=word.rms * gain
    )


def _talkers_of_words(clips: Sequence[Clip]) -> list[np.ndarray]:
    """Other words one after the other, a talker for each speaker; many speakers share a few."""
    words: dict[str, list[Clip]] = {}
    for clip in sorted(clips, key=lambda clip: clip.clip_id):
        if clip.label == UNKNOWN and clip.augmentation == "none":
            words.setdefault(clip.speaker, []).append(clip)
    speakers = sorted(words)
    if len(speakers) == 1:  # alone, a speaker still talks over himself
        (alone,) = words.values()
        parts = [part for part in (alone[::2], alone[1::2]) if part]
    else:
        count = min(len(speakers), MOST_WORD_TALKERS)
        parts = [[w for name in speakers[i::count] for w in words[name]] for i in range(count)]
    spoken = [[cut_utterance(clip, MARGIN_MS) for clip in part] for part in parts]
    audios = [[said.audio for said in part if said.rms > 0] for part in spoken]
    return [np.concatenate(audio) for audio in audios if audio]
