"""AudioExampleGen on a small folder in which everything that can be wrong is wrong once."""

import json
import os
import re
import struct
import wave
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from tfx.components.example_gen.driver import FileBasedDriver
from tfx.components.example_gen.utils import calculate_splits_fingerprint_span_and_version
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import proto_utils

from components.audio_example_gen import AudioExampleGen
from components.audio_example_gen import ingest as ingest_steps
from components.audio_example_gen.executor import (
    Executor,
    corpus_folder,
    find_corpus,
    parse_params,
)
from components.audio_example_gen.ingest import Inspect, list_corpus, plan_places
from kws.audio.clip import Clip, decode
from kws.corpus.digests import ClipDigest, ClipName
from kws.corpus.folders import Corpus
from kws.corpus.params import IngestParams
from kws.corpus.spans import find_spans
from kws.errors import DataError, KwsError
from kws.splits import SPLITS

RATE_HZ = 16000
SPEAKERS = 40
PARAMS = IngestParams(
    keywords=("yes", "no"),
    unknown_percentage=50,
    negatives_percentage=20,
    eval_percentage=20,
    test_percentage=20,
    rare_word_clips=10,
    max_quarantine_share=0.1,
)


def say(seed: int, seconds: float = 1.0, rate: int = RATE_HZ) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, int(rate * seconds)).clip(-1, 1)


def fill(folder: Path) -> None:
    """Words, long recordings, and thirteen files in bad or odd state."""
    for w, word in enumerate(("yes", "no", "cat")):
        (folder / word).mkdir(parents=True)
        for s in range(SPEAKERS):
            path = folder / word / f"{s:04x}_nohash_0.wav"
            soundfile.write(path, say(1000 * w + s, 0.9), RATE_HZ)
    for name, seconds in (("a", 5), ("b", 4), ("c", 6)):
        (folder / "_background_noise_").mkdir(exist_ok=True)
        path = folder / "_background_noise_" / f"{name}.flac"
        soundfile.write(path, say(len(name) + seconds, seconds), RATE_HZ)
    (folder / "_negatives_" / "train").mkdir(parents=True)
    soundfile.write(folder / "_negatives_" / "train" / "talk.ogg", say(77, 8), RATE_HZ)
    (folder / "dog").mkdir()
    for s in range(9):
        soundfile.write(folder / "dog" / f"{s:04x}_nohash_0.wav", say(9000 + s), RATE_HZ)
    (folder / "README.md").write_text("A corpus.")
    spoil(folder / "yes")
    for name in ("_background_noise_/half.flac", "_negatives_/train/half.mp3"):
        soundfile.write(folder / name, say(len(name), 20), RATE_HZ)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    zeroed = bytearray((folder / "_background_noise_" / "b.flac").read_bytes())
    zeroed[3000:3100] = bytes(100)  # Where only those see it who decode all of it.
    (folder / "_background_noise_" / "hole.flac").write_bytes(zeroed)


def spoil(folder: Path) -> None:
    good = (folder / "0000_nohash_0.wav").read_bytes()
    (folder / "bad_truncated.wav").write_bytes(good[: len(good) // 2])
    (folder / "bad_empty.wav").touch()
    (folder / "bad_text.wav").write_text("yes yes yes\n" * 50)
    (folder / "z_duplicate.wav").write_bytes(good)
    soundfile.write(folder / "bad_long.wav", say(5, 10), RATE_HZ)
    soundfile.write(folder / "bad_silent.wav", np.zeros(RATE_HZ), RATE_HZ)
    (folder / "bad_name.doc").write_text("?")
    piped = bytearray((folder / "0001_nohash_0.wav").read_bytes())
    piped[44:] = say(8).astype(np.float32).tobytes()[:6000]
    piped[40:44] = struct.pack("<I", 0x7FFFF000)
    (folder / "piped.wav").write_bytes(piped)
    soundfile.write(folder / "balanced.wav", np.outer(say(9), [1, -1]), RATE_HZ)
    stereo = np.stack([say(6, 1, 44100), say(7, 1, 44100)], axis=1)
    soundfile.write(folder / "studio.wav", stereo, 44100, subtype="PCM_24")


def properties(component: AudioExampleGen) -> dict:
    return {
        key: value if isinstance(value, int | str) else proto_utils.proto_to_json(value)
        for key, value in component.exec_properties.items()
        if value is not None
    }


def ingest(folder: Path, out: Path, params: IngestParams) -> standard_artifacts.Examples:
    artifact = standard_artifacts.Examples()
    artifact.uri = str(out)
    executor = Executor(base_beam_executor.BaseBeamExecutor.Context())
    component = AudioExampleGen(str(folder), params)
    executor.Do({}, {"examples": [artifact]}, properties(component))
    return artifact


def read_split(artifact: standard_artifacts.Examples, split: str) -> list[Clip]:
    files = tf.io.gfile.glob(artifact_utils.get_split_uri([artifact], split) + "/*")
    return [decode(r.numpy()) for r in tf.data.TFRecordDataset(files, compression_type="GZIP")]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    fill(folder)
    return folder


@pytest.fixture(scope="module")
def examples(corpus, tmp_path_factory) -> standard_artifacts.Examples:
    return ingest(corpus, tmp_path_factory.mktemp("examples"), PARAMS)


@pytest.fixture(scope="module")
def clips(examples) -> dict[str, list[Clip]]:
    return {split: read_split(examples, split) for split in SPLITS}


def test_every_bad_file_is_quarantined_with_its_reason(examples):
    lines = (Path(examples.uri) / "quarantine.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert {e["path"]: e["reason"] for e in entries} == {
        "yes/bad_truncated.wav": "truncated",
        "yes/bad_empty.wav": "empty_file",
        "yes/bad_text.wav": "not_audio",
        "yes/z_duplicate.wav": "duplicate",
        "yes/bad_long.wav": "too_long",
        "yes/bad_silent.wav": "silent",
        "yes/bad_name.doc": "not_audio_name",
        "_background_noise_/half.flac": "truncated",
        "_background_noise_/hole.flac": "truncated",
        "_negatives_/train/half.mp3": "truncated",
    }
    assert "yes/0000_nohash_0.wav" in next(e["detail"] for e in entries if "dup" in e["path"])
    assert examples.get_int_custom_property("quarantined") == 10
    reasons = json.loads(examples.get_string_custom_property("quarantine_reasons"))
    assert reasons == Counter(e["reason"] for e in entries)


def test_every_odd_file_is_used_and_noted(examples):
    lines = (Path(examples.uri) / "notes.jsonl").read_text().splitlines()
    noted = [json.loads(line) for line in lines]
    assert [(one["path"], one["note"]) for one in noted] == [
        ("yes/balanced.wav", "one_channel"),
        ("yes/piped.wav", "repaired_header"),
    ]
    assert all(one["detail"] for one in noted)
    counts = {"one_channel": 1, "repaired_header": 1}
    assert json.loads(examples.get_string_custom_property("notes")) == counts
    assert json.loads((Path(examples.uri) / "ingest.json").read_text())["notes"] == counts


def test_every_good_file_is_an_example_or_counted_as_unused(examples, clips):
    made = [clip for split in SPLITS for clip in clips[split]]
    labels = Counter(clip.label for clip in made)
    assert labels["yes"] == SPEAKERS + 3 and labels["no"] == SPEAKERS  # + studio, piped, balanced
    summary = json.loads((Path(examples.uri) / "ingest.json").read_text())
    unused = sum(sum(counts.values()) for counts in summary["unused"].values())
    spoken = sum(clip.word in ("cat", "dog") for clip in made)
    assert spoken + unused == SPEAKERS + 9
    assert summary["files"] == 3 * SPEAKERS + 9 + 3 + 7 + 4 + 3
    for split in SPLITS:
        assert summary["clips"][split] == {
            label: sum(clip.label == label for clip in clips[split])
            for label in ("_silence_", "_unknown_", "yes", "no")
        }
        assert examples.get_int_custom_property(f"clips_{split}") == len(clips[split])


def test_the_digest_is_that_of_the_clips_that_were_written(examples, clips, corpus):
    written = json.loads((Path(examples.uri) / "clips.json").read_text())
    for split in SPLITS:
        digest = ClipDigest()
        for clip in reversed(clips[split]):
            digest.add(ClipName(clip.clip_id, clip.word, clip.label, clip.speaker, clip.source))
        assert written["splits"][split] == digest.to_dict()
    (folder,) = written["folders"]
    assert folder["name"] == corpus.name and str(corpus.parent) not in json.dumps(written)


def test_every_clip_has_the_one_length_and_rate(clips):
    for clip in (c for found in clips.values() for c in found):
        assert clip.audio.shape == (RATE_HZ,) and clip.sample_rate == RATE_HZ
    studio = [c for found in clips.values() for c in found if c.original_rate == 44100]
    assert [(c.label, c.original_channels) for c in studio] == [("yes", 2)]


def test_no_speaker_and_no_clip_is_in_two_splits(clips):
    for name in ("speaker", "clip_id"):
        of_split = {s: {getattr(c, name) for c in found if c.word} for s, found in clips.items()}
        assert of_split["train"] and of_split["eval"] and of_split["test"]
        assert not of_split["train"] & of_split["eval"]
        assert not of_split["train"] & of_split["test"]
        assert not of_split["eval"] & of_split["test"]


def test_silence_comes_from_backgrounds_and_negatives_only_train(clips):
    for found in clips.values():
        silence = [clip for clip in found if clip.label == "_silence_"]
        assert silence and {clip.source for clip in silence} == {"background"}
    assert {s for s, found in clips.items() if any(c.source == "negatives" for c in found)} == {
        "train"
    }
    dogs = [(split, c.novelty) for split in SPLITS for c in clips[split] if c.word == "dog"]
    assert set(dogs) <= {("test", "new_word")}


def test_a_changed_file_at_any_depth_changes_the_driver_s_fingerprint(tmp_path):
    names = ("validation_list.txt", "yes/a.wav", "_negatives_/eval/t.wav")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")

    def fingerprint() -> str:
        found = FileBasedDriver(None).resolve_exec_properties(
            properties(AudioExampleGen(str(tmp_path), PARAMS)), None, None
        )
        return found["input_fingerprint"]

    seen = {fingerprint(), fingerprint()}
    for name in names:
        (tmp_path / name).write_text("22")
        seen.add(fingerprint())
    assert len(seen) == 1 + len(names)


def test_a_span_s_folder_is_the_corpus(tmp_path):
    for day in (1, 2):
        (tmp_path / f"day-{day}" / "yes").mkdir(parents=True)
        (tmp_path / f"day-{day}" / "yes" / "a.wav").touch()
    component = AudioExampleGen(str(tmp_path), PARAMS, span_folder="day-{SPAN}")
    found = FileBasedDriver(None).resolve_exec_properties(properties(component), None, None)
    assert found["span"] == 2
    assert corpus_folder(found) == str(tmp_path / "day-2")


def test_the_last_spans_are_read_together_up_to_the_one_that_the_driver_chose(tmp_path):
    for day in (1, 2, 10):
        (tmp_path / f"day-{day}" / "yes").mkdir(parents=True)
        (tmp_path / f"day-{day}" / "yes" / "a.wav").touch()

    def prefixes(**options) -> list[str]:
        component = AudioExampleGen(
            str(tmp_path), PARAMS, span_folder="day-{SPAN}", last_spans=2, **options
        )
        found = FileBasedDriver(None).resolve_exec_properties(properties(component), None, None)
        assert parse_params(found) == PARAMS
        return [folder.prefix for folder in find_corpus(found).folders]

    assert prefixes() == ["span-2", "span-10"]
    static = range_config_pb2.StaticRange(start_span_number=2, end_span_number=2)
    range_config = range_config_pb2.RangeConfig(static_range=static)
    assert prefixes(range_config=range_config) == ["span-1", "span-2"]


@pytest.mark.parametrize(
    ("pattern", "folders"),
    [
        ("day-{SPAN}", ("day-9", "day-10", "day-2")),
        ("{SPAN:3}", ("009", "010", "100")),
        ("s{SPAN}/v{VERSION}", ("s1/v3", "s2/v9", "s2/v10", "s2/v2")),
        ("{YYYY}-{MM}-{DD}", ("2025-12-31", "2026-01-02", "2024-02-29")),
    ],
)
def test_our_newest_span_is_the_one_that_tfx_finds(tmp_path, pattern, folders):
    for folder in folders:
        (tmp_path / folder / "yes").mkdir(parents=True)
    splits = [example_gen_pb2.Input.Split(name="words", pattern=f"{pattern}/*")]
    _, span, version = calculate_splits_fingerprint_span_and_version(str(tmp_path), splits)

    def list_folders(inside: str) -> list[str]:
        return [path.name for path in (tmp_path / inside).iterdir()]

    newest = find_spans(pattern, list_folders)[-1]
    assert (newest.number, newest.version) == (span, version or 0)
    assert splits[0].pattern == f"{newest.folder}/*"


def test_a_corpus_that_is_too_bad_fails_with_its_reasons(corpus, tmp_path):
    strict = PARAMS.model_copy(update={"max_quarantine_share": 0.01})
    with pytest.raises(
        KwsError, match=r"10 of 146 files \(6\.8%\).*too_long 1 \(yes/bad_long\.wav"
    ):
        ingest(corpus, tmp_path / "out", strict)
    assert (tmp_path / "out" / "quarantine.jsonl").exists()
    with pytest.raises(KwsError, match="is not a folder"):
        ingest(tmp_path / "nowhere", tmp_path / "out2", PARAMS)


def test_wave_of_the_standard_library_agrees_on_a_clip(corpus, clips):
    """An independent reader: the samples of a keyword are in its example, padded alike."""
    with wave.open(str(corpus / "no" / "0003_nohash_0.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    found = [c for s in clips.values() for c in s if c.word == "no" and c.speaker == "0003"]
    padding = (RATE_HZ - samples.size) // 2
    np.testing.assert_array_equal(found[0].audio, np.pad(samples, padding))


def test_what_breaks_after_its_inspection_is_quarantined_then_and_the_run_goes_on(
    tmp_path, monkeypatch
):
    folder = tmp_path / "corpus"
    fill(folder)
    broken = {"yes/0005_nohash_0.wav", "_background_noise_/c.flac"}
    make_clip = ingest_steps.clip_spec.make_clip

    def make_late(spec, source, params):
        if spec.name in broken:
            content = (folder / spec.name).read_bytes()
            (folder / spec.name).write_bytes(content[: len(content) // 2])
        return make_clip(spec, source, params)

    monkeypatch.setattr(ingest_steps.clip_spec, "make_clip", make_late)
    artifact = ingest(folder, tmp_path / "examples", PARAMS)
    out = Path(artifact.uri)
    entries = [json.loads(line) for line in (out / "quarantine.jsonl").read_text().splitlines()]
    late = {e["path"]: e["reason"] for e in entries if e["path"] in broken}
    assert late == dict.fromkeys(broken, "truncated")
    summary = json.loads((out / "ingest.json").read_text())
    made = {split: read_split(artifact, split) for split in SPLITS}
    for split in SPLITS:
        counts = Counter(clip.label for clip in made[split])
        assert summary["clips"][split] == {
            label: counts[label] for label in summary["clips"][split]
        }
    assert sum(clip.word == "yes" for found in made.values() for clip in found) == SPEAKERS + 2
    long = json.loads((out / "long_recordings.json").read_text())
    left = [part[0] for parts in long["backgrounds"].values() for part in parts]
    assert left and not any(path.endswith("c.flac") for path in left)


def small(folder: Path) -> Path:
    """Two keywords and nothing wrong."""
    for w, word in enumerate(("yes", "no")):
        (folder / word).mkdir(parents=True)
        for s in range(SPEAKERS):
            path = folder / word / f"{s:04x}_nohash_0.wav"
            soundfile.write(path, say(1000 * w + s, 0.1), RATE_HZ)
    return folder


SMALL = PARAMS.model_copy(update={"unknown_percentage": 0, "max_quarantine_share": 1.0})


def driven(folder: Path, out: Path) -> standard_artifacts.Examples:
    """As a run does it: the driver looks at the folder first."""
    component = AudioExampleGen(str(folder), SMALL)
    found = component.DRIVER_CLASS(None).resolve_exec_properties(properties(component), None, None)
    assert found["input_fingerprint"]
    return ingest(folder, out, SMALL)


def quarantine(examples: standard_artifacts.Examples) -> dict[str, str]:
    lines = (Path(examples.uri) / "quarantine.jsonl").read_text("utf-8").splitlines()
    return {entry["path"]: entry["reason"] for entry in map(json.loads, lines)}


def test_names_links_and_pipes_that_cannot_be_used_are_quarantined_and_do_not_end_the_run(tmp_path):
    folder = small(tmp_path / "corpus")
    (folder / "no").rename(tmp_path / "elsewhere")
    (folder / "no").symlink_to(tmp_path / "elsewhere")
    (folder / "yes" / "up").symlink_to(folder)
    (folder / "yes" / "gone.wav").symlink_to("nothing")
    os.mkfifo(folder / "yes" / "pipe.wav")
    (folder / "yes" / "._0000_nohash_0.wav").write_bytes(b"\0\5\x16\7")
    (folder / "Thumbs.db").touch()
    base = os.fsencode(folder)
    with open(base + b"/yes/caf\xe9.wav", "wb") as file:
        file.write((folder / "yes" / "0000_nohash_0.wav").read_bytes())
    examples = driven(folder, tmp_path / "out")
    assert quarantine(examples) == {
        "yes/caf\\xe9.wav": "name_not_utf8",
        "yes/gone.wav": "io_error",
        "yes/pipe.wav": "not_a_file",
        "yes/up/": "link_cycle",
    }
    words = Counter(clip.word for split in SPLITS for clip in read_split(examples, split))
    assert (words["yes"], words["no"]) == (SPEAKERS, SPEAKERS)


def test_the_driver_sees_a_changed_file_in_a_folder_that_tensorflow_cannot_list(tmp_path):
    folder = small(tmp_path / "corpus")
    with open(os.fsencode(folder) + b"/yes/caf\xe9.wav", "wb"):
        pass
    component = AudioExampleGen(str(folder), SMALL)

    def fingerprint() -> str:
        driver = component.DRIVER_CLASS(None)
        found = driver.resolve_exec_properties(properties(component), None, None)
        return found["input_fingerprint"]

    before = fingerprint()
    assert fingerprint() == before
    (folder / "yes" / "0001_nohash_0.wav").unlink()
    assert fingerprint() != before


def long_recordings(folder: Path, *names: str) -> None:
    """What looks like recordings and is not."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"\0\0\0\x20ftypM4A " + bytes(50_000))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda f: (f / "_negatives_").mkdir(),
            r"negatives in \S+/_negatives_ holds no recordings",
        ),
        (
            lambda f: long_recordings(f / "_negatives_", "a.m4a", "b.m4a"),
            r"negatives in \S+/_negatives_ has no usable audio: \w+ 2 \(_negatives_/a\.m4a: ",
        ),
        (
            lambda f: [
                long_recordings(f / "_background_noise_", "hours.m4a"),
                soundfile.write(f / "_background_noise_" / "rain.wav", say(1, 3), RATE_HZ),
            ],
            r"backgrounds in \S+ loses 0\.1\d* of 0\.1\d* minutes, .*hours\.m4a",
        ),
        (
            lambda f: [(f / "yes" / f"{i}.m4a").write_bytes(b"\0" * 99) for i in range(41)],
            r"keyword 'yes' in \S+ loses 41 of 81 files, at most 50% may be lost: \w+ 41",
        ),
        (
            lambda f: (f / "no").rename(f / "No"),
            r"'No' is not the keyword 'no'.* did you mean 'no'",
        ),
        (
            lambda f: [
                (f / "_Background_Noise_").mkdir(),
                soundfile.write(f / "_Background_Noise_" / "a.wav", say(1, 3), RATE_HZ),
            ],
            r"a\.wav: '_Background_Noise_' is not the reserved name .* did you mean",
        ),
    ],
)
def test_a_source_that_gives_nothing_or_has_the_wrong_name_stops_the_run(tmp_path, spoil, message):
    folder = small(tmp_path / "corpus")
    spoil(folder)
    problem = problem_of(folder)
    assert problem is not None and re.search(message, problem["message"]), problem
    assert "\n" not in problem["message"] and problem["hint"]


def problem_of(folder: Path) -> dict[str, str | None] | None:
    """What is wrong with a corpus by the steps of ingestion, called one by one without Beam."""
    corpus, params = Corpus.of_folder(str(folder)), SMALL.to_json()
    *batches, listed = list_corpus(corpus, params)
    inspect = Inspect(corpus, params)
    inspect.setup()
    inspected = defaultdict(list)
    for shard, packed in (pair for batch in batches for pair in inspect.process(batch)):
        inspected[shard].append(packed)
    decision, *places = plan_places(listed.value, inspected, corpus, params)
    assert bool(places) == (decision.value.problem is None)
    return decision.value.problem


def test_a_run_ends_with_the_sentence_about_the_source_and_no_clip(tmp_path):
    folder = small(tmp_path / "corpus")
    long_recordings(folder / "_negatives_", "a.m4a", "b.m4a")
    assert problem_of(folder) is not None
    with pytest.raises(DataError, match=r"has no usable audio: \w+ 2") as error:
        ingest(folder, tmp_path / "out", SMALL)
    assert "ffmpeg -i in.m4a -ar 16000 -ac 1 out.wav" in str(error.value)


def test_a_good_corpus_has_no_problem(tmp_path):
    assert problem_of(small(tmp_path / "corpus")) is None
