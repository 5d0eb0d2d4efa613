"""What the judge refuses is not in the corpus, stays in the cache, and can be listened to."""

import base64
import dataclasses
import io
import json
import re
import types

import numpy as np
import pytest
import soundfile

from kws.report.dropped_clips import render_page
from kws.speech.judge import judge_clips
from kws.voices import corpus, render
from kws.voices.outliers import dropped_from, find_outliers
from kws.voices.render import ClipCache
from tests.kws.voices.test_corpus import HIBARI_ONLY

REFUSED = 2


def refuse_the_third(clips):
    """A judge of five clips that refuses the third, which should be like the fifth."""
    assert len(clips) == 5 and all(clip.dtype == np.int16 for clip in clips)
    outliers = np.arange(5) == REFUSED
    return types.SimpleNamespace(
        scores=np.where(outliers, 0.3, 0.1), threshold=0.2, outliers=outliers, nearest=np.full(5, 4)
    )


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    root = tmp_path_factory.mktemp("judged")
    report = corpus.build(HIBARI_ONLY, root / "corpus", root / "cache", judge=refuse_the_third)
    return root, report


def test_a_dropped_clip_is_in_the_cache_and_not_in_the_corpus(judged):
    root, report = judged
    assert report.dropped == 2  # one of each of the two keywords
    assert report.clips["train"] == 10
    for word in ("yes", "hey house"):
        names = {path.name for path in (root / "corpus" / word).iterdir()}
        assert names == {f"hibari-heart_nohash_{take}.wav" for take in (0, 1, 3, 4)}
    assert len(list((root / "corpus/bed").iterdir())) == 2, "other words are not judged"
    clip = dropped_from(root / "corpus")[0]
    assert (clip.file, clip.like_file) == (
        "yes/hibari-heart_nohash_2.wav",
        "yes/hibari-heart_nohash_4.wav",
    )
    stored = ClipCache(root / "cache").get(clip.key)
    assert len(stored) * 1000 // 16000 == clip.milliseconds
    counts = json.loads((root / "corpus/corpus.json").read_text())["words"]["train"]
    assert counts == {"yes": 4, "hey house": 4, "bed": 2}


def test_a_judged_corpus_is_left_alone_and_one_that_was_not_judged_is_made_again(judged):
    root, _ = judged
    again = corpus.build(HIBARI_ONLY, root / "corpus", root / "cache", judge=refuse_the_third)
    assert (again.unchanged, again.dropped) == (True, 2)
    keeping = HIBARI_ONLY.model_copy(update={"drop_outliers": False})
    kept = corpus.build(keeping, root / "kept", root / "cache", judge=refuse_the_third)
    assert (kept.dropped, kept.clips["train"]) == (0, 12)
    assert dropped_from(root / "kept") == []
    plain = corpus.build(HIBARI_ONLY, root / "plain", root / "cache")
    assert (plain.dropped, plain.clips["train"]) == (0, 12)
    now = corpus.build(HIBARI_ONLY, root / "plain", root / "cache", judge=refuse_the_third)
    assert (now.unchanged, now.dropped) == (False, 2)


def test_the_page_plays_each_dropped_clip_and_the_one_that_it_should_sound_like(judged):
    root, _ = judged
    clips = dropped_from(root / "corpus")
    cache = ClipCache(root / "cache")
    page = render_page(clips, cache.get)
    players = re.findall(r'<audio[^>]*src="data:audio/flac;base64,([^"]+)"[^>]*>', page)
    sounds = [
        soundfile.read(io.BytesIO(base64.b64decode(data)), dtype="int16")[0] for data in players
    ]
    expected = [cache.get(key) for clip in clips for key in (clip.key, clip.like_key)]
    assert len(sounds) == 4
    for sound, clip in zip(sounds, expected, strict=True):
        np.testing.assert_array_equal(sound, clip)
    assert page.count("50% beyond what is accepted (0.300, at most 0.200)") == 2
    assert "http" not in re.sub(r'http-equiv="', "", page), "nothing is loaded from elsewhere"
    gone = render_page(clips, lambda key: None)
    assert "<audio" not in gone and gone.count("no longer in the cache") == 4


def test_clips_of_a_keyword_that_were_judged_are_those_that_were_rendered(tmp_path):
    said = [u for u in corpus.plan(HIBARI_ONLY) if u.word == "yes"]
    seen = []

    def look(clips):
        seen.append(clips)

    corpus.build(HIBARI_ONLY, tmp_path / "corpus", tmp_path / "cache", judge=look)
    assert len(seen) == 2
    for clip, utterance in zip(seen[0], said, strict=True):
        np.testing.assert_array_equal(clip, render.render(utterance.request))


def test_many_voices_are_not_judged_by_the_takes_of_another_engine_s_one_voice(tmp_path):
    cache = ClipCache(tmp_path)
    (one, *_) = (u for u in corpus.plan(HIBARI_ONLY) if u.word == "yes")
    # Thirty takes of one voice, and ten that differ as people do, as if another engine said them.
    changes = [{"seed": take} for take in range(30)]
    changes += [
        {"f0_scale": 0.6 + 0.07 * n, "formant_scale": 1.15 - 0.03 * n, "speed": 0.8 + 0.05 * n}
        for n in range(10)
    ]
    said, clips = [], []
    for take, change in enumerate(changes):
        clip = render.render(dataclasses.replace(one.request, **change))
        named = dataclasses.replace(one.request, engine="hibari" if take < 30 else "kokoro")
        request = dataclasses.replace(named, seed=take)
        cache.put(render.key(request), clip)
        said.append(dataclasses.replace(one, take=take, request=request))
        clips.append(clip)
    together = judge_clips(clips).outliers
    assert together[30:].sum() >= 5, "judged together, they would be dropped"
    dropped = find_outliers(HIBARI_ONLY, said, cache, judge_clips)
    assert sum(one.key in {render.key(u.request) for u in said[30:]} for one in dropped) <= 1
