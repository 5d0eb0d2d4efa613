"""Streams laid in conditions, held against the sound itself: what is the same and what differs."""

import dataclasses

import numpy as np
import pydantic
import pytest

from kws.augment.rooms import recorded_room
from kws.errors import KwsError
from kws.scenes.conditions import Surroundings
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.negatives import Piece, plan_talkers
from kws.scenes.params import CONDITIONS, StreamParams
from kws.scenes.stream import lay_streams
from tests.kws.scenes.test_stream import HUM, KEYWORDS, OTHERS, RATE, power_at

TALKERS_HZ = (300, 400, 500, 600, 700, 800, 1500, 1700)
PARAMS = StreamParams(minutes=2.0, conditions=tuple(CONDITIONS))


def tone(hz: float, seconds: float = 10) -> np.ndarray:
    wave = np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)
    return np.rint(3000 * wave).astype(np.int16)


def echo() -> np.ndarray:
    """A direct sound and, 100 ms later, a single echo of half its amplitude."""
    response = np.zeros(3200, np.float32)
    response[0], response[1600] = 1.0, 0.5
    return response


SURROUNDINGS = Surroundings(
    backgrounds=HUM,
    talkers=[tone(hz) for hz in TALKERS_HZ],
    rooms=[recorded_room(echo(), RATE, "echo")],
)
Laid = dict[str, tuple[np.ndarray, GroundTruth]]


def lay(params: StreamParams = PARAMS, surroundings: Surroundings = SURROUNDINGS, clips=None):
    streams = lay_streams(clips or KEYWORDS + OTHERS, surroundings, params, "words-eval-00")
    return {truth.condition: (audio, truth) for audio, truth in streams}


@pytest.fixture(scope="module")
def laid() -> Laid:
    return lay()


def word_dbfs(audio: np.ndarray, truth: GroundTruth) -> list[float]:
    """The level of every keyword, a tone of 1 kHz."""
    level = power_at(audio, 1000)
    words = [word for word in truth.words if word.label == "yes"]
    inside = [level[word.start_ms // 10 + 2 : word.end_ms // 10 - 2] for word in words]
    return [20 * np.log10(np.median(part) / 32768) for part in inside]


def gap_dbfs(audio: np.ndarray, truth: GroundTruth) -> list[float]:
    """The level of 400 ms of background before every keyword."""
    starts = [word.start_ms for word in truth.words if word.label == "yes"]
    parts = [audio[(ms - 700) * 16 : (ms - 300) * 16].astype(float) for ms in starts]
    return [20 * np.log10(np.sqrt(np.mean(part**2)) / 32768) for part in parts]


def test_all_conditions_say_the_same_words_at_the_same_times(laid: Laid) -> None:
    said = {
        tuple((word.clip_id, word.start_ms, word.end_ms) for word in truth.words)
        for _, truth in laid.values()
    }
    assert list(laid) == list(CONDITIONS) and len(said) == 1
    assert len({len(audio) for audio, _ in laid.values()}) == 1
    assert [truth.stream_id for _, truth in laid.values()] == [
        f"words-eval-00-{name}" for name in CONDITIONS
    ]


@pytest.mark.parametrize(
    ("condition", "low", "high"), [("quiet", 30, 45), ("noise", 10, 10), ("babble", 10, 10)]
)
def test_the_background_is_as_far_below_the_words_as_the_condition_says(
    laid: Laid, condition: str, low: float, high: float
) -> None:
    levels = zip(word_dbfs(*laid[condition]), gap_dbfs(*laid[condition]), strict=True)
    snr_db = [word - gap for word, gap in levels]
    assert min(snr_db) > low - 1.5 and max(snr_db) < high + 1.5


def test_babble_is_two_to_six_talkers_at_once_and_others_from_section_to_section(
    laid: Laid,
) -> None:
    audio, truth = laid["babble"]
    talking = set()
    for word in truth.words:
        gap = audio[(word.start_ms - 700) * 16 : (word.start_ms - 300) * 16]
        levels = {hz: np.sqrt(np.mean(power_at(gap, hz) ** 2)) for hz in TALKERS_HZ}
        strong = {hz for hz, level in levels.items() if level > 0.25 * max(levels.values())}
        assert 2 <= len(strong) <= 6
        talking.add(frozenset(strong))
    assert len(talking) >= 3


def test_without_recorded_talkers_other_words_talk_and_no_keyword_does() -> None:
    silent = dataclasses.replace(SURROUNDINGS, talkers=())
    audio, truth = lay(PARAMS.model_copy(update={"conditions": ("babble",)}), silent)["babble"]
    spoken = np.zeros(len(audio) // 160, bool)
    for word in truth.words:
        spoken[word.start_ms // 10 - 20 : word.end_ms // 10 + 20] = True
    keywords, others = (power_at(audio, hz)[~spoken].mean() for hz in (1000, 2000))
    assert others > 10 * keywords


def test_too_few_talkers_are_refused_with_what_to_add() -> None:
    alone = dataclasses.replace(SURROUNDINGS, talkers=[tone(300)])
    with pytest.raises(KwsError, match=r"has 1 talkers for .* babble, .* 2 to 6") as info:
        lay(PARAMS.model_copy(update={"conditions": ("babble",)}), alone, KEYWORDS)
    assert "data.sources: negatives" in info.value.hint


def test_in_a_room_a_word_rings_on_where_it_was_dry_before(laid: Laid) -> None:
    ringing = {}
    for condition in ("quiet", "room"):
        audio, truth = laid[condition]
        level = power_at(audio, 1000)
        words = [word for word in truth.words if word.label == "yes"]
        ratios = [
            level[word.end_ms // 10 + 2 : word.end_ms // 10 + 8].mean()
            / level[word.start_ms // 10 + 2 : word.start_ms // 10 + 8].mean()
            for word in words
        ]
        ringing[condition] = np.median(ratios)
    # The echo alone, over the direct sound alone.
    assert ringing["room"] == pytest.approx(0.5, abs=0.03) and ringing["quiet"] < 0.03


def test_very_soft_and_loud_sections_take_turns(laid: Laid) -> None:
    levels = np.array(word_dbfs(*laid["level"]))
    soft, loud = levels[levels < -25], levels[levels >= -25]
    assert np.allclose(soft, -40, atol=0.2) and np.allclose(loud, -10, atol=0.2)
    assert len(soft) > 5 and len(loud) > 5


@pytest.mark.parametrize("clipped", [True, False])
def test_words_too_loud_for_full_scale_are_cut_there_or_turned_down(clipped: bool) -> None:
    loud = {"snr_db": (60, 60), "level_dbfs": ((-1, -1),), "clipped": clipped}
    params = StreamParams(minutes=0.5, conditions=("shout",), of_condition={"shout": loud})
    audio, truth = lay(params)["shout"]
    inside = [
        slice(word.start_ms // 10 + 2, word.end_ms // 10 - 2)
        for word in truth.words
        if word.label == "yes"
    ]
    third, first = (np.concatenate([power_at(audio, hz)[i] for i in inside]) for hz in (3000, 1000))
    # A sine of RMS -1 dBFS has its peak at 2 dBFS; cut at 0, it has a third harmonic.
    phase = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    cut = np.clip(10 ** (-1 / 20) * np.sqrt(2) * np.sin(phase), -1, 1)
    spectrum = np.abs(np.fft.rfft(cut))
    expected = spectrum[3] / spectrum[1] if clipped else 0
    assert np.median(third / first) == pytest.approx(expected, abs=0.01)
    assert not clipped or expected > 0.05


def test_a_condition_of_ones_own_stands_beside_the_known_ones_and_those_can_be_changed() -> None:
    params = StreamParams(
        minutes=0.5,
        conditions=("babble", "car"),
        of_condition={"babble": {"snr_db": (3, 3)}, "car": {"snr_db": (0, 0)}},
    )
    assert params.condition("babble").background == "babble"
    assert StreamParams.from_json(params.to_json()) == params
    assert {truth.words[0].snr_db for _, truth in lay(params).values()} == {3.0, 0.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"conditions": ("cellar",)}, "'cellar' is not one of quiet, noise"),
        ({"conditions": ("noise", "noise")}, "names one of them twice"),
        ({"of_condition": {"bable": {"snr_db": (5, 5)}}}, "describes 'bable', which is neither"),
        ({"of_condition": {"noise": {"snr_db": (9, 5)}}}, "runs backwards"),
        ({"of_condition": {"level": {"level_dbfs": ((-3, 1),)}}}, "0 is full scale"),
        ({"of_condition": {"babble": {"talkers": (0, 6)}}}, "must rise, from 1 or more"),
        (
            {"conditions": ("a/b",), "of_condition": {"a/b": {"snr_db": (5, 5)}}},
            "'a/b' becomes part of file names",
        ),
    ],
)
def test_what_cannot_be_laid_is_refused_when_it_is_configured(given, message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        StreamParams(**given)


def test_a_ground_truth_written_before_there_were_conditions_is_still_read() -> None:
    old = (
        '{"stream_id":"negatives-test-000","kind":"negatives","duration_ms":9,"sample_rate":16000,'
        '"words":[],"negatives":[{"start_ms":0,"end_ms":9,"source":"speech"}]}'
    )
    truth = GroundTruth.from_json(old)
    assert truth.condition == "" and not truth.negatives[0].synthesized


def test_talkers_are_recorded_ones_and_synthesized_only_where_those_are_few() -> None:
    hour = Piece("speech.wav", 0, 3_600_000)
    voices = [Piece(f"sentences_{i}.wav", 0, 25_000, synthesized=True) for i in range(3)]
    many = plan_talkers([*voices, hour], seed=0)
    assert len(many) == 40 and not any(p.synthesized for pieces in many for p in pieces)
    assert all(sum(p.duration_ms for p in pieces) == 30_000 for pieces in many)
    few = plan_talkers([*voices, dataclasses.replace(hour, stop_ms=60_000)], seed=0)
    assert [pieces[0].synthesized for pieces in few] == [False, False, True, True, True]
