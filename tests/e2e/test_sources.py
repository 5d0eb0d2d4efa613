"""Every kind of source, with real audio bytes, from the configuration to audio examples."""

import hashlib
import http.server
import json
import shutil
import tarfile
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf
import tfx.v1 as tfx
import yaml
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.types import artifact_utils, standard_artifacts

from components.audio_example_gen import AudioExampleGen
from components.audio_synthesizer.recordings import find_backgrounds, find_negatives
from kws.audio.clip import Clip, decode
from kws.errors import KwsError
from kws.splits import SPLITS
from pipeline import combined_corpus, source
from pipeline.config import Config, load

RATE_HZ = 16000
SETTINGS = {
    "name": "mixed",
    "keywords": ["yes", "no"],
    "seed": 5,
    "ingest": {
        "unknown_percentage": 1000,
        "negatives_percentage": 20,
        "eval_percentage": 20,
        "test_percentage": 20,
        "max_quarantine_share": 0.1,
    },
    # The bulk voice alone: seconds, not minutes.
    "voices": {
        "unknown_words": ["cat"],
        "kokoro_takes": 0,
        "kokoro_unknown_takes": 0,
        "hibari_takes": 3,
        "hibari_keyword_takes": 3,
        "negative_sentences": [0, 0, 0],
        "background_seconds": 4,
    },
}


def say(seed: int, seconds: float = 0.9) -> np.ndarray:
    """A recording like no other, float64 within full scale."""
    return np.random.default_rng(seed).normal(0, 0.1, int(RATE_HZ * seconds)).clip(-1, 1)


def write(path: Path, seed: int, seconds: float = 0.9) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, say(seed, seconds), RATE_HZ)


def write_words(folder: Path, words: list[str], speakers: range, seed: int) -> None:
    for w, word in enumerate(words):
        for s in speakers:
            write(folder / word / f"{s:04x}_nohash_0.wav", seed + 1000 * w + s)


def configure(folder: Path, data: dict, **ingest: object) -> Config:
    """A preset file with these data, loaded as a user's."""
    settings = {**SETTINGS, "data": data, "ingest": {**SETTINGS["ingest"], **ingest}}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(settings))
    return load(str(path))


class Ran:
    """The pipeline's first component as TFX's local runner ran it, metadata and cache included."""

    def __init__(self, config: Config, out: Path):
        self.folder = source.prepare(config, workers=1)
        metadata = out / "metadata.sqlite"
        gen = AudioExampleGen(
            input_base=str(self.folder),
            params=config.ingest,
            span_folder=combined_corpus.span_folder_of(config),
            mix=config.data.is_mix,
        )
        tfx.orchestration.LocalDagRunner().run(
            tfx.dsl.Pipeline(
                pipeline_name="sources",
                pipeline_root=str(out),
                components=[gen],
                enable_cache=True,
                metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                    str(metadata)
                ),
            )
        )
        connection = metadata_store_pb2.ConnectionConfig()
        connection.sqlite.filename_uri = str(metadata)
        store = MetadataStore(connection)
        executions = sorted(store.get_executions(), key=lambda execution: execution.id)
        self.cached = executions[-1].last_known_state == metadata_store_pb2.Execution.CACHED
        made = max(store.get_artifacts_by_type("Examples"), key=lambda artifact: artifact.id)
        self.artifact = standard_artifacts.Examples()
        self.artifact.set_mlmd_artifact(made)
        self.path = Path(made.uri)

    @property
    def clips(self) -> dict[str, list[Clip]]:
        return {split: self._read(split) for split in SPLITS}

    @property
    def quarantine(self) -> dict[str, str]:
        lines = (self.path / "quarantine.jsonl").read_text().splitlines()
        return {entry["path"]: entry["reason"] for entry in map(json.loads, lines)}

    def words(self, split: str | None = None) -> list[Clip]:
        chosen = SPLITS if split is None else (split,)
        return [clip for name in chosen for clip in self.clips[name] if clip.word]

    def _read(self, split: str) -> list[Clip]:
        files = tf.io.gfile.glob(artifact_utils.get_split_uri([self.artifact], split) + "/*")
        return [decode(r.numpy()) for r in tf.data.TFRecordDataset(files, "GZIP")]


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("KWS_CACHE", str(folder))
        patch.setenv("KWS_TEST_SALT", "nobody knows this")
        patch.setenv("no_proxy", "127.0.0.1")
        yield folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """An HTTP server on this machine, and the folder that it serves."""
    folder = tmp_path_factory.mktemp("site")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def mixed(cache, site, tmp_path_factory) -> Ran:
    """One configuration with every kind of source."""
    folder = tmp_path_factory.mktemp("recordings")
    # A folder, and an archive of another, in the layout of Speech Commands.
    write_words(folder / "studio", ["yes", "no", "dog"], range(30), seed=0)
    (folder / "studio" / "testing_list.txt").write_text("yes/0003_nohash_0.wav\n")
    (folder / "studio" / "yes" / "cut.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVE")
    write_words(folder / "packed", ["yes", "no"], range(40, 46), seed=10_000)
    with tarfile.open(folder / "packed.tar.gz", "w:gz") as tar:
        tar.add(folder / "packed", "packed")
    shutil.rmtree(folder / "packed")
    # An archive at an address, with a known checksum; it has a recording of the studio again.
    write_words(folder / "far", ["no"], range(50, 54), seed=20_000)
    shutil.copy(folder / "studio" / "no" / "0001_nohash_0.wav", folder / "far" / "no" / "again.wav")
    with zipfile.ZipFile(site[1] / "far.zip", "w") as zipped:
        for path in (folder / "far").rglob("*.wav"):
            zipped.write(path, path.relative_to(folder / "far"))
    # Somebody's own folders: clips by speaker, other words, long recordings.
    for s, speaker in enumerate(("anna", "ben", "0003")):
        write(folder / "own" / "yes" / speaker / "1.wav", 30_000 + s)
    write(folder / "own" / "other" / "a.wav", 31_000)
    write(folder / "own" / "talk" / "train" / "radio.flac", 32_000, seconds=9)
    write(folder / "own" / "talk" / "eval" / "film.flac", 32_001, seconds=5)
    for n in range(3):
        write(folder / "own" / "noise" / "street" / f"{n}.wav", 33_000 + n, seconds=4)
    # A long recording with several words, and a manifest that says which.
    write(folder / "listed" / "meeting.flac", 40_000, seconds=20)
    (folder / "listed" / "words.csv").write_text(
        "path,label,speaker,start_ms,end_ms\n"
        "meeting.flac,yes,cleo,1000,1800\n"
        "meeting.flac,no,dan,4000.5,5000.5\n"
        "meeting.flac,door,cleo,7000,8400\n"
        "meeting.flac,no,dan,19500,20500\n"
        "../studio/yes/0000_nohash_0.wav,yes,eve,,\n"
        "gone.wav,yes,eve,,\n"
    )
    sha256 = hashlib.sha256((site[1] / "far.zip").read_bytes()).hexdigest()
    config = configure(
        folder,
        {
            "path": str(folder / "studio"),
            "sources": [
                {"speech_commands": str(folder / "packed.tar.gz")},
                {"name": "net", "url": f"{site[0]}/far.zip", "sha256": sha256},
                {
                    "name": "own",
                    "positives": {"yes": str(folder / "own" / "yes")},
                    "unknown": str(folder / "own" / "other"),
                    "negatives": str(folder / "own" / "talk"),
                    "backgrounds": str(folder / "own" / "noise"),
                },
                {"manifest": str(folder / "listed" / "words.csv")},
                {"voices": True},
            ],
        },
        speaker_salt_env="KWS_TEST_SALT",
    )
    return Ran(config, tmp_path_factory.mktemp("mixed"))


def test_every_clip_of_every_source_is_there_under_its_source_s_name(mixed):
    counted = Counter((clip.source, clip.word) for clip in mixed.words())
    assert counted == {
        ("studio", "yes"): 30, ("studio", "no"): 29, ("studio", "dog"): 30,
        ("packed", "yes"): 6, ("packed", "no"): 6,
        ("net", "no"): 5,
        ("own", "yes"): 3, ("own", "_unknown_"): 1,
        ("words", "yes"): 1, ("words", "no"): 1, ("words", "door"): 1,
        ("voices", "yes"): 3, ("voices", "no"): 3, ("voices", "cat"): 3,
    }  # fmt: skip
    summary = json.loads((mixed.path / "ingest.json").read_text())
    assert sum(summary["sources"]["studio"].values()) == 89


def test_what_cannot_be_used_is_named_with_its_source(mixed):
    assert mixed.quarantine == {
        "studio/yes/cut.wav": "truncated",
        "studio/no/0001_nohash_0.wav": "duplicate",
        "words/words.csv:6": "path_escapes",
        "words/meeting.flac#t=19.5,20.5": "beyond_end",
        "words/gone.wav": "io_error",
    }


def test_the_words_of_a_long_recording_are_cut_where_the_manifest_says(mixed):
    meeting = np.rint(say(40_000, 20) * 32768).astype(np.int16)
    made = {clip.word: clip.audio for clip in mixed.words() if clip.source == "words"}
    np.testing.assert_allclose(made["no"], meeting[64008:80008], atol=1)
    padding = (RATE_HZ - 12800) // 2
    np.testing.assert_allclose(made["yes"], np.pad(meeting[16000:28800], padding), atol=1)
    # 1.4 s are cut to their loudest second.
    inside = meeting[112000:134400].astype(int)
    assert any(
        np.abs(inside[start : start + RATE_HZ] - made["door"]).max() <= 1
        for start in range(0, 6401, 160)
    )


def test_nobody_is_in_two_splits_and_nobody_is_named(mixed):
    speakers = {split: {clip.speaker for clip in mixed.words(split)} for split in SPLITS}
    assert sum(map(len, speakers.values())) == len(set.union(*speakers.values()))
    assert all(len(name) == 16 for found in speakers.values() for name in found)
    # The studio's list says where 0003 is; the folder of 0003's own recordings follows it.
    assert "own" in {clip.source for clip in mixed.words("test")}
    for path in mixed.path.rglob("data_tfrecord*"):
        records = b"".join(r.numpy() for r in tf.data.TFRecordDataset(str(path), "GZIP"))
        for name in (b"anna", b"cleo", b"0003", b"meeting", b"nobody knows"):
            assert name not in records


def test_long_recordings_of_all_sources_reach_silence_negatives_and_the_next_component(mixed):
    assert {c.source for c in mixed.clips["train"] if not c.word} == {"background", "negatives"}
    shares = (20.0, 20.0)
    backgrounds = {split: find_backgrounds(str(mixed.path), split, *shares) for split in SPLITS}
    paths = {split: {piece.path for piece in pieces} for split, pieces in backgrounds.items()}
    assert sum(map(len, paths.values())) == len(set.union(*paths.values())) == 3 + 3 * 4
    talk = [piece.path for piece in find_negatives(str(mixed.path), "eval", *shares)]
    assert [Path(path).name for path in talk] == ["film.flac"]


def test_the_secret_is_written_nowhere(mixed, cache):
    out = mixed.path.parents[2]
    written = [p for folder in (out, cache) for p in folder.rglob("*") if p.is_file()]
    assert len(written) > 1
    for path in written:
        assert b"nobody knows this" not in path.read_bytes()


def test_new_spans_are_picked_up_and_the_last_ones_are_taken_together(cache, tmp_path):
    base, out = tmp_path / "growing", tmp_path / "out"
    write_words(base / "week-1", ["yes", "no"], range(20), seed=0)
    write_words(tmp_path / "studio", ["no"], range(100, 110), seed=70_000)
    shutil.copy(base / "week-1" / "no" / "0000_nohash_0.wav", tmp_path / "studio" / "no")
    spans = {"speech_commands": str(base), "span_folder": "week-{SPAN}"}
    newest = configure(tmp_path, {"sources": [{"name": "new", **spans}]})

    first = Ran(newest, out)
    assert not first.cached and first.artifact.get_int_custom_property("span") == 1
    assert len(first.words()) == 40
    again = Ran(newest, out)
    assert again.cached and again.path == first.path

    write_words(base / "week-2", ["yes", "no"], range(10, 40), seed=50_000)
    shutil.copy(base / "week-1" / "yes" / "0000_nohash_0.wav", base / "week-2" / "yes" / "old.wav")
    second = Ran(newest, out)
    assert not second.cached and second.artifact.get_int_custom_property("span") == 2
    assert len(second.words()) == 61

    # The last two, beside a studio that does not grow.
    both = configure(
        tmp_path,
        {"path": str(base), "span_folder": "week-{SPAN}", "last_spans": 2,
         "sources": [{"speech_commands": str(tmp_path / "studio")}]},
    )  # fmt: skip
    third = Ran(both, out)
    assert third.artifact.get_int_custom_property("span") == 2
    assert Counter(clip.source for clip in third.words()) == {"growing": 100, "studio": 10}
    assert sorted(third.quarantine.values()) == ["duplicate"] * 2
    speakers = [{clip.speaker for clip in third.words(split)} for split in SPLITS]
    assert sum(map(len, speakers)) == len(set.union(*speakers))
    assert Ran(both, out).cached

    # A recording of the older span is replaced: seen, though the span is not the newest.
    write(base / "week-1" / "yes" / "0007_nohash_0.wav", seed=99_000)
    assert not Ran(both, out).cached


def test_what_is_missing_is_named_before_anything_runs(cache, site, tmp_path):
    for data, sentence in (
        ({"sources": [{"manifest": "gone.csv"}]}, r"manifest gone\.csv does not exist"),
        ({"sources": [{"backgrounds": __file__}]}, "is no folder"),
        ({"path": str(tmp_path), "span_folder": "d-{SPAN}"}, r"there is no folder .*/d-\{SPAN\}"),
        ({"sources": [{"voices": True, "name": "v"}, {"url": f"{site[0]}/none.zip",
          "sha256": "0" * 64}]}, r"none\.zip: HTTP status 404"),
    ):  # fmt: skip
        with pytest.raises(KwsError, match=sentence):
            source.prepare(configure(tmp_path, data), workers=1)
    write(tmp_path / "only" / "a.wav", 1)
    alone = configure(tmp_path, {"sources": [{"positives": {"yes": str(tmp_path / "only")}}]})
    with pytest.raises(
        KwsError, match=r"no recordings for keyword no .*positives \(words found: y"
    ):
        source.prepare(alone, workers=1)
