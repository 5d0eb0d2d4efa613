"""Scenes: what always holds (by hypothesis), and what they sound like."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.audio.clip import Clip
from kws.augment.level import dbfs, rms
from kws.augment.seed import generator
from kws.errors import KwsError
from kws.labels import UNKNOWN
from kws.scenes.example import SceneFeatures, decode, decode_features, encode, encode_features
from kws.scenes.params import SceneParams
from kws.scenes.scene import Scene, deal_scenes, lay_scene, scene_generator

RATE = 8000


def clip(number: int, label: str, speech_ms: int, hz: float = 1000, rate: int = RATE) -> Clip:
    """A tone somewhere in a padded second."""
    audio = np.zeros(rate, np.int16)
    samples = rate * speech_ms // 1000
    start = (rate - samples) * (number % 5) // 5
    tone = 8000 * np.sin(2 * np.pi * hz * np.arange(samples) / rate)
    audio[start : start + samples] = np.rint(tone)
    return Clip(
        audio=audio, sample_rate=rate, label=label, word=label, speaker="s", source="t",
        clip_id=f"{label}{number}", novelty="keyword",
    )  # fmt: skip


def hum(rate: int = RATE, amplitude: float = 3000) -> np.ndarray:
    t = np.arange(3 * rate) / rate
    return np.rint(amplitude * np.sin(2 * np.pi * 200 * t)).astype(np.int16)


def lay(words, params, name="scene-train-00000", backgrounds=None, rate=RATE) -> Scene:
    backgrounds = [hum(rate)] if backgrounds is None else backgrounds
    return lay_scene(words, backgrounds, params, name, rate, scene_generator(params, name))


def ranges(most: int):
    return st.lists(st.integers(0, most), min_size=2, max_size=2).map(lambda r: tuple(sorted(r)))


@settings(max_examples=50, deadline=None)
@given(
    duration_ms=st.integers(1000, 4000),
    word_dbfs=st.sampled_from([None, (-40.0, -10.0)]),
    positives=ranges(6),
    negatives=ranges(4),
    words=st.sampled_from(["speech", "clip"]),
    tries=st.integers(1, 30),
    steps=st.integers(20, 1500),
    label_steps=st.integers(1, 19),
    rate=st.sampled_from([8000, 11025]),
    speech_ms=st.lists(st.integers(30, 1000), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_what_holds_for_every_scene(
    duration_ms, word_dbfs, positives, negatives, words, tries, steps, label_steps, rate,
    speech_ms, seed,
):  # fmt: skip
    params = SceneParams(
        scenes=(5, 0, 0), duration_ms=duration_ms, positives=positives, negatives=negatives,
        words=words, word_dbfs=word_dbfs, tries=tries, steps=steps,
        label_steps=label_steps, seed=seed,
    )  # fmt: skip
    yes = {c.clip_id: c for c in (clip(i, "yes", s, rate=rate) for i, s in enumerate(speech_ms))}
    other = {f"{UNKNOWN}0": clip(0, UNKNOWN, 400, rate=rate)}
    every = {**yes, **other}
    deals = list(deal_scenes(yes, other, "train", params))

    def work(deal):
        return lay([every[name] for name in deal.clip_ids], params, deal.scene_id, rate=rate)

    scenes = [work(deal) for deal in deals]
    for deal, scene in zip(deals, scenes, strict=True):
        # Lengths are exact.
        assert scene.audio.dtype == np.int16 and len(scene.audio) == rate * duration_ms // 1000
        assert scene.steps.dtype == np.int64 and scene.steps.shape == (steps,)
        assert scene.truth.duration_ms == duration_ms
        # Nothing is lost silently, and no more is laid than was asked for.
        laid = scene.truth.words
        assert len(laid) + scene.left_out == len(deal.clip_ids)
        keywords = [word for word in laid if word.label == "yes"]
        assert len(keywords) <= positives[1] and len(laid) - len(keywords) <= negatives[1]
        # Words lie inside the scene, in order, and never meet.
        assert all(0 <= word.start_ms < word.end_ms <= duration_ms for word in laid)
        assert all(a.end_ms < b.start_ms for a, b in itertools.pairwise(laid))
        # The labels are the assignment's: ones after the step in which a keyword ends.
        expected = np.zeros(steps, np.int64)
        for word in keywords:
            end = int(word.end_ms * steps / duration_ms)
            for step in range(end + 1, end + label_steps + 1):
                if step < steps:
                    expected[step] = 1
        np.testing.assert_array_equal(scene.steps, expected)
        for step in np.flatnonzero(scene.steps):
            assert any(step * duration_ms / steps > word.end_ms - 1e-6 for word in keywords)
        # Nothing is clipped, and the level is the target or what the peak allows.
        level, peak = dbfs(rms(scene.audio)), np.abs(scene.audio.astype(int)).max()
        assert level == pytest.approx(params.target_dbfs, abs=0.1) or peak > 32000

    # Four workers in another order make the same bytes, and so does the next call.
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(work, deals[::-1]))[::-1]
    assert [s.audio.tobytes() for s in again] == [s.audio.tobytes() for s in scenes]
    assert [s.truth for s in again] == [s.truth for s in scenes]


def test_words_sound_where_the_ground_truth_says_and_nowhere_else():
    params = SceneParams()
    words = [clip(i, "yes", 600) for i in range(4)] + [clip(9, UNKNOWN, 600, hz=1000)]
    scene = lay(words, params)
    blocks = scene.audio.reshape(-1, 80).astype(float)  # 10 ms
    level = np.abs(blocks @ np.exp(-2j * np.pi * 1000 * np.arange(80) / RATE))
    inside, near = np.zeros(1000, bool), np.zeros(1000, bool)
    for word in scene.truth.words:
        assert word.end_ms - word.start_ms == pytest.approx(600, abs=20)
        inside[word.start_ms // 10 + 2 : word.end_ms // 10 - 2] = True
        near[max(0, word.start_ms // 10 - 2) : word.end_ms // 10 + 3] = True
    assert len(scene.truth.words) == 5
    assert level[inside].min() > 30 * level[~near].max()


def test_the_background_is_quieter_by_what_is_configured():
    scene = lay([clip(0, "yes", 600)], SceneParams(background_gain_db=-14))
    (word,) = scene.truth.words
    # A tone of 8000 over a hum of 3000, which is turned down by 14 dB.
    assert word.snr_db == pytest.approx(20 * np.log10(8000 / 3000) + 14, abs=0.3)
    spoken = scene.audio[(word.start_ms + 50) * 8 : (word.end_ms - 50) * 8]
    before = word.start_ms > 400
    silent = scene.audio[: (word.start_ms - 200) * 8] if before else scene.audio[-4000:]
    assert dbfs(rms(spoken)) - dbfs(rms(silent)) == pytest.approx(word.snr_db, abs=0.5)


def test_words_can_be_given_a_level_instead_of_their_own():
    quiet = Clip(**{**vars(clip(0, "yes", 600)), "audio": clip(0, "yes", 600).audio // 40})
    params = SceneParams(word_dbfs=(-30, -30), background_gain_db=-40)
    scene = lay([quiet, clip(1, UNKNOWN, 600)], params)
    expected = -30 - (dbfs(rms(hum())) - 40)
    assert [word.snr_db for word in scene.truth.words] == pytest.approx([expected] * 2, abs=0.3)
    levels = [
        rms(scene.audio[(word.start_ms + 50) * 8 : (word.end_ms - 50) * 8])
        for word in scene.truth.words
    ]
    assert levels[0] == pytest.approx(levels[1], rel=0.05)


def test_full_scale_words_over_a_loud_background_are_turned_down_together():
    loud = Clip(**{**vars(clip(0, "yes", 600)), "audio": clip(0, "yes", 600).audio * 4})
    params = SceneParams(background_gain_db=0, target_dbfs=0)
    scene = lay([loud], params, backgrounds=[hum(amplitude=32000)])
    at_limit = np.abs(scene.audio.astype(int)) >= 32766
    assert at_limit.any()
    # A clipped crest is flat; these tones touch full scale with single samples.
    assert not (at_limit[1:] & at_limit[:-1]).any()


def test_a_scene_without_words_is_background_at_the_target_level():
    scene = lay([], SceneParams(target_dbfs=-26))
    assert not scene.steps.any() and not scene.truth.words
    assert dbfs(rms(scene.audio)) == pytest.approx(-26, abs=0.05)


def test_a_word_without_a_place_or_without_sound_is_counted_as_left_out():
    params = SceneParams(duration_ms=1000, words="clip", tries=3)
    assert lay([clip(0, "yes", 900), clip(1, "yes", 900)], params).left_out == 1
    silent = Clip(**{**vars(clip(0, "yes", 600)), "audio": np.zeros(RATE, np.int16)})
    assert lay([silent], SceneParams()).left_out == 1


def test_the_assignments_sizes_come_out_exactly():
    rate = 44100
    scene = lay([clip(0, "activate", 700, rate=rate)], SceneParams(), rate=rate)
    assert scene.audio.shape == (441_000,) and scene.steps.shape == (1375,)
    (word,) = scene.truth.words
    ones = np.flatnonzero(scene.steps)
    assert ones[0] == word.end_ms * 1375 // 10_000 + 1
    assert len(ones) == min(50, 1374 - word.end_ms * 1375 // 10_000)


def test_scenes_survive_their_examples():
    scene = lay([clip(0, "yes", 600), clip(1, UNKNOWN, 300)], SceneParams())
    again = decode(encode(scene))
    assert again.truth == scene.truth and again.left_out == scene.left_out
    np.testing.assert_array_equal(again.audio, scene.audio)
    np.testing.assert_array_equal(again.steps, scene.steps)
    features = np.arange(12, dtype=np.float32).reshape(4, 3)
    example = SceneFeatures(features=features, steps=scene.steps, truth=scene.truth)
    read = decode_features(encode_features(example), (4, 3), np.dtype(np.float32))
    np.testing.assert_array_equal(read.features, features)
    np.testing.assert_array_equal(read.steps, scene.steps)


def test_another_rate_or_no_background_is_refused_by_name():
    with pytest.raises(KwsError, match="yes0 of scene scene-train-00000 is at 8000 Hz"):
        lay([clip(0, "yes", 300)], SceneParams(), rate=16000)
    with pytest.raises(KwsError, match="no background"):
        lay_scene([], [], SceneParams(), "scene-eval-00000", RATE, generator(0, "x"))
