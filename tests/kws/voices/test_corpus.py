"""The corpus folder: complete or absent, the same for any number of workers, and made once."""

import json

import numpy as np
import pytest
import soundfile

from kws.errors import KwsError
from kws.voices import backgrounds, corpus, engines, render
from kws.voices.params import VoicesParams
from kws.voices.render import ClipCache

HIBARI_ONLY = VoicesParams(
    keywords=("yes", "hey house"),
    unknown_words=("bed",),
    kokoro_takes=0,
    kokoro_unknown_takes=0,
    hibari_takes=2,
    hibari_keyword_takes=5,
    negative_sentences=(2, 0, 0),
    background_seconds=2,
)


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("voices")
    return root, corpus.build(HIBARI_ONLY, root / "corpus", root / "cache", workers=1)


@pytest.fixture
def calls(monkeypatch):
    """Counts what the engines are asked to say."""
    asked = []
    say = type(engines.load("hibari")).say

    def counting(self, request):
        asked.append(request)
        return say(self, request)

    monkeypatch.setattr(type(engines.load("hibari")), "say", counting)
    return asked


def test_the_layout_is_that_of_speech_commands(built):
    root, report = built
    files = set(contents(root / "corpus"))
    assert {f for f in files if f.startswith("bed/")} == {
        "bed/hibari-heart_nohash_0.wav",
        "bed/hibari-heart_nohash_1.wav",
    }
    assert len([f for f in files if f.startswith("hey house/")]) == 5
    for split in ("train", "eval", "test"):
        assert f"_background_noise_/{split}/mains_hum_{split}.wav" in files
    assert "_background_noise_/train/babble_train.wav" in files
    assert "_negatives_/train/sentences_train_0.wav" in files
    assert {"LICENSES.md", "validation_list.txt", "testing_list.txt", "corpus.json"} <= files
    info = soundfile.info(root / "corpus/yes/hibari-heart_nohash_0.wav")
    assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
    assert report.clips == {"train": 12, "eval": 0, "test": 0}
    assert json.loads((root / "corpus/corpus.json").read_text())["words"]["train"]["yes"] == 5


def test_its_sentences_are_known_as_synthesized_from_a_recording_of_a_person(built):
    folder = built[0] / "corpus"

    def read_text(path):
        return (folder / "corpus.json").read_text() if path == str(folder / "corpus.json") else None

    assert corpus.is_synthesized(f"{folder}/_negatives_/train/sentences_train_0.wav", read_text)
    assert not corpus.is_synthesized("/data/_negatives_/train/sentences_train_0.wav", read_text)
    assert not corpus.is_synthesized(f"{folder}/talk.wav", read_text)


def test_generated_sentences_are_negatives_of_training_ten_a_recording(tmp_path):
    params = HIBARI_ONLY.model_copy(update={"bulk_sentences": 12, "hibari_keyword_takes": 1})
    corpus.build(params, tmp_path / "corpus", tmp_path / "cache")
    folder = tmp_path / "corpus/_negatives_"
    bulk = sorted(path for path in folder.rglob("bulk_*"))
    assert [str(p.relative_to(folder)) for p in bulk] == [
        "train/bulk_train_0.wav",
        "train/bulk_train_1.wav",
    ]
    seconds = [soundfile.info(path).duration for path in bulk]
    assert 12 < seconds[0] < 60
    assert seconds[1] < seconds[0]


def test_sentences_by_all_voices_are_negatives_of_every_split(tmp_path):
    sentences = {"kokoro_sentences": (12, 2, 1), "hibari_keyword_takes": 1}
    params = HIBARI_ONLY.model_copy(update=sentences)
    cache = ClipCache(tmp_path / "cache")
    for utterance in corpus.plan(params):
        if utterance.request.engine == "kokoro":
            cache.put(render.key(utterance.request), np.full(16000, 100 + utterance.take, np.int16))
    corpus.build(params, tmp_path / "corpus", tmp_path / "cache")
    folder = tmp_path / "corpus/_negatives_"
    found = {str(p.relative_to(folder)): soundfile.read(p, dtype="int16")[0] for p in
             folder.rglob("generated_*")}  # fmt: skip
    assert set(found) == {
        "train/generated_train_0.wav",
        "train/generated_train_1.wav",
        "eval/generated_eval_0.wav",
        "test/generated_test_0.wav",
    }
    assert set(found["train/generated_train_1.wav"]) == {0, 110, 111}
    assert set(found["eval/generated_eval_0.wav"]) == {0, 100, 101}


def test_two_workers_write_the_same_bytes_as_one(built, tmp_path):
    root, report = built
    seen = []

    def progress(*now, remaining_s):
        seen.append((*now, remaining_s))

    again = corpus.build(HIBARI_ONLY, tmp_path / "corpus", tmp_path / "cache", 2, progress)
    assert again.synthesized == report.synthesized == 14
    assert contents(tmp_path / "corpus") == contents(root / "corpus")
    assert seen[0][:2] == (0, 14)
    assert seen[-1][:2] == (14, 14)
    assert seen[0][3] > 0 and seen[-1][3] == pytest.approx(0, abs=1e-6)


def test_an_unchanged_corpus_is_left_alone(built, calls):
    root, _ = built
    before = (root / "corpus").stat().st_mtime_ns
    report = corpus.build(HIBARI_ONLY, root / "corpus", root / "cache")
    assert report.unchanged
    assert (root / "corpus").stat().st_mtime_ns == before
    assert not calls


def test_what_is_cached_is_not_said_again_but_what_is_damaged_is(built, calls, tmp_path):
    root, _ = built
    report = corpus.build(HIBARI_ONLY, tmp_path / "corpus", root / "cache")
    assert (report.synthesized, report.cached, calls) == (0, 14, [])
    empty, cut, flipped = sorted((root / "cache").rglob("*.clip"))[:3]
    good = [path.read_bytes() for path in (empty, cut, flipped)]
    empty.write_bytes(b"")
    cut.write_bytes(good[1][:100])
    flipped.write_bytes(good[2][:-1] + bytes([good[2][-1] ^ 1]))
    report = corpus.build(HIBARI_ONLY, tmp_path / "other", root / "cache")
    assert report.synthesized == 3
    assert [path.read_bytes() for path in (empty, cut, flipped)] == good


def test_changed_params_replace_the_corpus(tmp_path, built):
    root, _ = built
    corpus.build(HIBARI_ONLY, tmp_path / "corpus", root / "cache")
    changed = HIBARI_ONLY.model_copy(update={"keywords": ("yes",), "negative_sentences": (0, 0, 0)})
    report = corpus.build(changed, tmp_path / "corpus", root / "cache")
    assert not report.unchanged
    assert not (tmp_path / "corpus/hey house").exists()
    assert not (tmp_path / "corpus/_negatives_").exists()
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_build_leaves_no_folder_and_goes_on_where_it_was(tmp_path, monkeypatch):
    def interrupt(done, total, seconds, *, remaining_s):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpus.build(HIBARI_ONLY, tmp_path / "out/corpus", tmp_path / "cache", 1, interrupt)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="disk is full"):
        patched.setattr(corpus.backgrounds, "generate", full_disk)
        corpus.build(HIBARI_ONLY, tmp_path / "out/corpus", tmp_path / "cache")
    assert list((tmp_path / "out").iterdir()) == []
    assert corpus.build(HIBARI_ONLY, tmp_path / "out/corpus", tmp_path / "cache").synthesized == 0


def full_disk(*_):
    raise OSError("the disk is full")


def test_a_folder_that_is_no_corpus_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("irreplaceable")
    with pytest.raises(KwsError, match="no synthesized corpus"):
        corpus.build(HIBARI_ONLY, tmp_path, tmp_path / "cache")
    assert (tmp_path / "thesis.txt").read_text() == "irreplaceable"


def test_an_unsayable_word_stops_before_anything_is_said(tmp_path, calls):
    params = HIBARI_ONLY.model_copy(update={"keywords": ("日本",)})
    with pytest.raises(KwsError, match="English only"):
        corpus.build(params, tmp_path / "corpus", tmp_path / "cache")
    assert not calls
    assert list(tmp_path.iterdir()) == []


def test_backgrounds_differ_between_splits_and_have_one_level():
    speech = [render_noise(seed) for seed in (1, 2)]
    first, second = (backgrounds.generate(3, speech, seed) for seed in (1, 2))
    assert set(first) == {"white_noise", "pink_noise", "brown_noise", "mains_hum", "babble"}
    for name, recording in first.items():
        assert recording.shape == (48000,)
        assert 20 * np.log10(np.std(recording / 32767)) == pytest.approx(-26, abs=0.2)
        assert not np.array_equal(recording, second[name])


def render_noise(seed):
    return np.random.default_rng(seed).integers(-3000, 3000, 20000, dtype=np.int16)


def test_a_cached_clip_comes_back_exactly(tmp_path):
    cache = ClipCache(tmp_path)
    clip = render_noise(3)
    assert cache.get("ab12") is None
    cache.put("ab12", clip)
    np.testing.assert_array_equal(cache.get("ab12"), clip)
    assert [p.suffix for p in tmp_path.rglob("*") if p.is_file()] == [".clip"]


def test_a_process_that_dies_is_explained(tmp_path, monkeypatch):
    class DeadPool:
        def __init__(self, *args, **kwargs): ...
        def submit(self, *args):
            raise render.BrokenProcessPool

        def shutdown(self, **kwargs): ...

    monkeypatch.setattr(render.concurrent.futures, "ProcessPoolExecutor", DeadPool)
    requests = [u.request for u in corpus.plan(HIBARI_ONLY)]
    with pytest.raises(KwsError, match="fewer workers"):
        render.synthesize(requests, tmp_path, workers=2)


def test_the_time_left_is_by_the_work_that_is_left_and_learns_from_the_pace(tmp_path, monkeypatch):
    # Ten clips of one second by the engines' figures and ninety of a hundredth, on a machine that
    # takes three times as long: counted by clips, it would seem to be at the beginning for long.
    slow, quick = 1.0, 0.01
    requests = [
        render.Request(engine="hibari", text=str(n), phonemes="a" * (9 - n // 10), voice="heart")
        for n in range(100)
    ]
    cost = {r.text: slow if int(r.text) < 10 else quick for r in requests}
    now = [0.0]

    def said(batch, cache_folder):
        now[0] += 3 * sum(cost[request.text] for request in batch)
        return batch

    monkeypatch.setattr(render, "_render_batch", said)
    monkeypatch.setattr(render.engines, "seconds", lambda request: cost[request.text])
    monkeypatch.setattr(render.time, "monotonic", lambda: now[0])
    told = []
    render.synthesize(
        requests, tmp_path, 1, lambda done, total, seconds, remaining_s: told.append(
            (done, seconds, remaining_s)
        )
    )  # fmt: skip
    assert told[0] == (0, 0.0, pytest.approx(10 * slow + 90 * quick))
    done, seconds, remaining_s = told[10]
    assert (done, seconds) == (10, pytest.approx(30)) and remaining_s == pytest.approx(
        1.8, rel=0.01
    )
    assert told[-1] == (100, pytest.approx(32.7), pytest.approx(0, abs=1e-9))
