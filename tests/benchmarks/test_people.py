"""Benchmarks that are judged on people's recordings; here a bent voice stands in for the people."""

import json
import re
from collections import Counter

import numpy as np
import pytest
import soundfile

from benchmarks import (
    cascade,
    pretraining,
    recipe,
    voices_worth,
    wake_word_models,
    wake_word_streams,
    zoo,
)
from benchmarks.beam_parts import Parts
from benchmarks.wake_word_streams import CONDITIONS
from kws.audio.clip import Clip, decode
from kws.models import mixed_net
from kws.splits import EVAL, SPLITS, TEST, TRAIN
from pipeline import config as configuration
from tests.benchmarks import stand_in
from tests.benchmarks.conftest import TINY as TINY_PRESET
from tests.benchmarks.conftest import benchmark

VOICES = (
    "voices.unknown_words=[music, garden]", "voices.near_words=0", "voices.hibari_takes=4",
    "voices.hibari_keyword_takes=12", "voices.kokoro_takes=0", "voices.kokoro_unknown_takes=0",
    "voices.negative_sentences=[0, 0, 0]", "voices.kokoro_sentences=[0, 0, 0]",
    "voices.bulk_sentences=2", "voices.background_seconds=6",
    "voices.mixes=0", "voices.eval_mixes=0", "voices.max_voices=3", "voices.eval_voices=1",
    "voices.test_voices=1",
)  # fmt: skip
"""Of the bulk voice alone, but where a test asks Kokoro for more."""
QUICK = ("noisy_copies.augment={}", "conversion.representative_examples=20",
         "conversion.max_accuracy_drop=1")  # fmt: skip
TINY = "model={name: ds_cnn, options: {first_kernel: [8, 40], first_stride: [4, 40], filters: 8, \
blocks: 1}}"


def settings(*values: str) -> list[str]:
    return [word for value in values for word in ("--set", value)]


def test_negatives_hold_no_keyword_and_no_speaker_twice(laid_out):
    assert laid_out.ran.status == 0, laid_out.ran.message
    negatives = laid_out.folder / "speech_commands" / "_negatives_"
    audio = {
        (split, name): soundfile.read(negatives / split / f"{name}.wav", dtype="int16")[0]
        for split in SPLITS
        for name in ("speech", "sounds")
    }
    # Of each speaker's utterances the last is left out.
    speakers, each = stand_in.UTTERANCES["dev"]
    clean_s = (each - 1) * stand_in.UTTERANCE_S
    in_eval = -(-20 // clean_s)
    seconds = {split: len(audio[split, "speech"]) / stand_in.RATE for split in SPLITS}
    train_speakers, train_each = stand_in.UTTERANCES["train"]
    assert seconds == {
        TRAIN: train_speakers * (train_each - 1) * stand_in.UTTERANCE_S,
        EVAL: in_eval * clean_s,
        TEST: (speakers - in_eval) * clean_s,
    }
    for split in SPLITS:
        utterances = audio[split, "speech"].reshape(-1, stand_in.UTTERANCE_S * stand_in.RATE)
        assert not (utterances == stand_in.WITH_KEYWORD).all(axis=1).any()
        path = negatives / split / "speech.wav"
        assert laid_out.ran.line(str(path)).endswith(f"{seconds[split] / 60:.1f} min")
    # Every sound once, and the takes of one original in one split.
    whole, _ = soundfile.read(laid_out.folder / "negatives" / "esc10.wav", dtype="int16")
    of_sound = whole.reshape(-1, stand_in.SOUND_S * stand_in.RATE)
    order = (laid_out.folder / "negatives" / "esc10_order.txt").read_text().splitlines()
    found = {}
    for split in SPLITS:
        for sound in audio[split, "sounds"].reshape(-1, of_sound.shape[1]):
            (number,) = np.flatnonzero((of_sound == sound).all(axis=1))
            assert number not in found
            found[number] = split
    assert len(found) == stand_in.SOUNDS
    originals = {(order[n].rpartition("-")[0], split) for n, split in found.items()}
    assert len(originals) == len({original for original, _ in originals})


def test_pretraining_makes_weights_that_the_preset_starts_from(laid_out, tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "ROOMS", 3)
    out = tmp_path / "weights.npz"
    ran = benchmark("pretraining", laid_out.folder, "--clips", 32, "--epochs", 1, "--out", out)
    assert ran.status == 0, ran.message
    assert re.search(r"weights\.npz: \d+ KB; explains \d+\.\d% .*", ran.text.strip())
    with np.load(out) as made, np.load(mixed_net.PRETRAINED) as shipped:
        assert {name: made[name].shape for name in made.files} == {
            name: shipped[name].shape for name in shipped.files
        }
    # Those whose words are judged by are not learnt from.
    learnt = pretraining.Composer(laid_out.folder, 3.2, rooms=1).words
    speakers = {path.name.partition("_")[0] for path in learnt}
    judged = wake_word_streams._half_of_the_speakers(laid_out.folder / "speech_commands")
    assert speakers and not speakers & {path.name.partition("_")[0] for path in judged}


def test_what_the_recordings_lack_is_named(tmp_path):
    assert benchmark("recordings", tmp_path).message == (
        f"error: {tmp_path}/negatives/librispeech_train.wav does not exist"
    )
    ran = benchmark("wake_words", tmp_path, "computer")
    assert ran.message.startswith(f"error: {tmp_path}/negatives/librispeech_dev.wav does not exist")


def clips_of(folder, split: str) -> list[Clip]:
    import tensorflow as tf

    files = tf.io.gfile.glob(f"{folder}/Split-{split}/*")
    return [decode(r.numpy()) for r in tf.data.TFRecordDataset(files, "GZIP")]


def test_the_recipe_makes_the_examples_of_the_components(laid_out, tmp_path):
    config = configuration.load(
        "speech_commands_windowed",
        ["ingest.silence_percentage=30", "noisy_copies.copies=1", "ingest.negatives_percentage=20"],
        data=laid_out.folder / "speech_commands",
    )
    plan, corpus = recipe.planned(config)
    parts = Parts(root=str(tmp_path), ingestion=config.ingest, copies=config.noisy_copies,
                  streams=config.streams.model_copy(update={"minutes": 0.1}))  # fmt: skip
    folder = str(laid_out.folder / "speech_commands")
    audio = parts.ingest(folder)
    noisy, _ = parts.synthesize(audio, folder)
    for split in SPLITS:
        ours = Counter(_key(clip) for clip in recipe.heard(config, plan, corpus, split))
        theirs = clips_of(audio.uri, split) + clips_of(noisy.uri, split)
        assert ours == Counter(map(_key, theirs)) and len(theirs) > 20


def _key(clip: Clip) -> tuple:
    return clip.clip_id, clip.label, clip.speaker, clip.augmentation, clip.audio.tobytes()


@pytest.fixture(scope="module")
def kept(laid_out, cache, tmp_path_factory):
    """One wake word's tiny model, what the benchmark printed of it, and its figures."""
    from tests.benchmarks.conftest import private_place

    folder = tmp_path_factory.mktemp("kept")
    with private_place(tmp_path_factory.mktemp("place"), cache):
        ran = benchmark(
            "wake_words", laid_out.folder, "computer", "--recordings", "--preset", TINY_PRESET,
            "--keep", folder / "models", "--json", folder / "figures.json", "--near", 3,
            "--workers", 1, "--seeds", 4,
            *settings("training.epochs=4", "noisy_copies.copies=1", "streams.minutes=0.5",
                      "voices.kokoro_takes=1", "streaming.gates.max_miss_rate=0",
                      "streaming.operating_point.default_sensitivity=medium"),
        )  # fmt: skip
    assert ran.status == 0, ran.message
    return folder / "models", ran, json.loads((folder / "figures.json").read_text())


def test_a_wake_word_is_what_the_pipeline_ships_whether_its_gates_let_it_pass_or_not(kept):
    folder, ran, figures = kept
    own = folder / "computer" / "seed-4"
    run = json.loads((own / "run.json").read_text())
    assert run["pushed"] is False and "seed 4, REFUSED by its gates" in ran.text
    conversion = json.loads((own / "conversion.json").read_text())
    assert 0 <= conversion["int8_accuracy"] <= 1
    # The thresholds are those of the run's own evaluation.
    evaluation = json.loads((own / "evaluation.json").read_text())
    points = figures["words"]["computer"]["seeds"]["4"]["points"]
    for name, one in evaluation["sensitivities"]["points"].items():
        assert points[name]["threshold"] == one["detection_threshold"]
    assert len(evaluation["sensitivities"]["points"]) == 3 and len(points) in (3, 4)
    # Recordings were among what it learned from, and none was of the word.
    assert run["settings"] == figures["made"]["settings"]
    assert "negatives: " in run["settings"][0] and "backgrounds: " in run["settings"][0]


def test_misses_and_false_accepts_are_counted_in_every_kind_of_stream(laid_out, kept):
    _, ran, figures = kept
    word = figures["words"]["computer"]
    said = stand_in.WAKE_WORDS["computer"]
    assert word["recordings"] == said
    for point in word["seeds"]["4"]["points"].values():
        counted = {kind: missed["exposure"] for kind, missed in point["misses"].items()}
        assert counted == {**dict.fromkeys(CONDITIONS, said), "all conditions": 5 * said}
        accepts = {kind: found["count"] for kind, found in point["false_accepts"].items()}
        assert accepts.pop("all streams") == sum(accepts.values())
    rate = stand_in.RATE
    dev = soundfile.info(laid_out.folder / "negatives/librispeech_dev.wav").frames / rate
    sounds = sum(
        soundfile.info(laid_out.folder / f"speech_commands/_negatives_/{split}/sounds.wav").frames
        for split in (EVAL, TEST)
    )
    hours = (dev + sounds / rate) / 3600
    assert word["hours"]["speech and sounds"] == pytest.approx(hours, abs=1e-5)
    assert word["seeds"]["4"]["near_misses"]["exposure"] == 3
    mean = word["points"]["medium"]["misses"]["quiet"]["mean"]
    assert ran.line("missed: quiet").split()[2:].count(f"{mean:.1%}") >= 1


def test_kept_models_are_judged_the_same_by_more_processes_and_drawn(laid_out, kept, tmp_path):
    folder, trained, figures = kept
    ran = benchmark("wake_words", laid_out.folder, "computer", "--kept", folder, "--seeds", 4,
                    "--near", 3, "--det", tmp_path / "det", "--json", tmp_path / "again.json",
                    "--workers", 2)  # fmt: skip
    assert ran.status == 0, ran.text
    assert ran.text == trained.text
    assert json.loads((tmp_path / "again.json").read_text())["words"] == figures["words"]
    assert (tmp_path / "det" / "computer.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_overwritten_by_kept_models(laid_out, kept, capsys):
    folder, *_ = kept
    ran = benchmark("wake_words", laid_out.folder, "computer", "--keep", folder, "--seeds", "3,4")
    assert ran.status == 2 and "seed-4 exists: nothing is overwritten" in capsys.readouterr().err


def test_a_cascade_of_a_model_with_itself_hears_no_more_than_the_model(laid_out, kept, monkeypatch):
    folder = kept[0] / "computer" / "seed-4"
    monkeypatch.setattr(cascade, "THRESHOLDS", (0.0, 1.1))
    ran = benchmark("cascade", laid_out.folder, "computer", folder, folder,
                    "--second-threshold", 0.5)  # fmt: skip
    assert ran.status == 0, ran.message
    lines = ran.text.splitlines()
    totals = [line.partition(": ")[2] for line in lines if not line.startswith("  ")]
    assert [line for line in lines if line.startswith("first stage")] == [lines[0], lines[4]]
    # Always awake is the second stage alone, but for what that hears before the first stage's first
    # row of a stream; never awake, every word is missed.
    (missed, false), (missed_alone, false_alone) = (
        [int(count) for count in re.findall(r"; (\d+) (?:of|in) ", totals[row])] for row in (0, 2)
    )
    streams = stand_in.WAKE_WORDS["computer"] + len(wake_word_streams.NEGATIVES)
    assert missed == missed_alone and false_alone - streams <= false <= false_alone
    assert "100" in totals[1] and "woken 0 times" in lines[5]
    assert sum("woken" in line for line in lines) == 6  # three kinds of streams, two thresholds


def test_voices_beside_recordings_are_judged_on_the_validation_speakers(laid_out):
    ran = benchmark(
        "voices_worth", laid_out.folder / "speech_commands", "--only", "both", "--steps", 4,
        "--workers", 1,
        *settings(*VOICES, *QUICK, TINY, "ingest.eval_percentage=10", "training.batch_size=32",
                  "noisy_copies.copies=0", "ingest.silence_percentage=20"),
    )  # fmt: skip
    assert ran.status == 0, ran.message
    assert re.match(r"both: \d+ examples, \d+ steps, \d+ parameters, \d+ s", ran.text)
    counts = {
        name: (int(right), int(of))
        for name, right, of in re.findall(r"^  (.+?): .*?(\d+) of (\d+)", ran.text, re.MULTILINE)
    }
    speakers = len(stand_in.VALIDATION_SPEAKERS)
    assert counts["keywords"][1] == speakers * len(stand_in.KEYWORDS)
    assert counts["all"][1] >= sum(counts[n][1] for n in counts if n != "all")
    assert all(right <= of for right, of in counts.values())


def test_command_words_are_judged_on_listed_clips_on_words_never_heard_and_on_silence(
    laid_out, finished, tmp_path
):
    data = laid_out.folder / "speech_commands"
    rare = len(list((data / "left").iterdir()))  # every other word has as many or fewer clips
    out = tmp_path / "judged.json"
    ran = benchmark(
        "command_words", finished.folder, data, "--rare-word-clips", rare + 1, "--out", out,
        "--runtime", "tflite",
    )  # fmt: skip
    assert ran.status == 0, ran.message
    reports = json.loads(out.read_text())
    assert list(reports) == ["keywords", "words never heard", "silence"]
    listed = (data / "validation_list.txt").read_text().split()
    spoken = sum(name.startswith(("left/", "stop/")) for name in listed)
    assert reports["keywords"]["clips"] == spoken > 0
    never = sum(path.parent.name not in ("left", "stop") for path in data.glob("[!_]*/*.wav"))
    assert reports["words never heard"]["clips"] == never
    assert reports["silence"]["clips"] == 360
    said = np.array(reports["silence"]["counts"])
    assert said[0].sum() == 360
    assert f"{said[0, 0] / 360:.1%} of 360" in ran.line("| silence |")


def test_every_corpus_and_row_of_the_tables_is_a_configuration(tmp_path):
    assert set(voices_worth.arrangements(tmp_path, [])) == set(voices_worth.CORPORA)
    for row in zoo.ROWS.values():
        config = zoo.config_of(row, tmp_path)
        assert config.model is not None and config.noisy_copies.copies == 5


def test_the_zoo_trains_what_is_missing_and_prints_accuracies_of_its_counts(laid_out, tmp_path):
    data, out = laid_out.folder / "speech_commands", tmp_path / "zoo"
    values = (*QUICK, "ingest.eval_percentage=10", "noisy_copies.copies=1",
              "training.batch_size=32")  # fmt: skip
    options = [data, "--only", "tiny_conv", "--seeds", 1, "--steps", 4, "--out", out]
    options += settings(*values)
    ran = benchmark("zoo", *options, "--learning-curve", "--shares", 60, 100)
    assert ran.status == 0, ran.message
    lines = (out / zoo.RESULTS_FILE).read_text().splitlines()
    part, whole = map(json.loads, lines)
    assert (part["speakers_percent"], whole["speakers_percent"]) == (60, 100)
    words = len(stand_in.KEYWORDS) + len(stand_in.OTHER_WORDS)
    train_speakers = len(stand_in.TRAINING_SPEAKERS)
    assert part["train_clips"] < whole["train_clips"] <= 1.3 * words * train_speakers
    assert whole["test_clips"] >= len(stand_in.VALIDATION_SPEAKERS) * len(stand_in.KEYWORDS)
    accuracy = 100 * whole["int8_right"] / whole["test_clips"]
    row = ran.line("| tiny_conv | 100 %")
    assert row.endswith(f"| {accuracy:.2f} % ({accuracy:.2f}-{accuracy:.2f}) |")
    # The same once more is done already; the other table has what was trained on all speakers.
    again = benchmark("zoo", *options)
    assert (out / zoo.RESULTS_FILE).read_text().splitlines() == lines
    assert f"{accuracy:.2f} %" in again.line("| tiny_conv |")
    assert f"{whole['int8_bytes'] / 1024:.1f}" in again.text
    # Of the frontends of all rows only the one that was asked for has examples.
    config = zoo.config_of(zoo.ROWS["tiny_conv"], data, values)
    assert list(out.glob("**/*.npz")) == [zoo.file_of(config, out)]


def test_what_wake_words_are_trained_with_is_neither_the_word_nor_a_condition(laid_out, tmp_path):
    (setting,) = wake_word_models.with_recordings(laid_out.folder, tmp_path / "links")
    linked = {path.name for path in (tmp_path / "links").rglob("*.wav")}
    assert linked == {"librispeech_train.wav", "sounds.wav", "running_tap.wav", "white_noise.wav"}
    assert all(path.is_file() for path in (tmp_path / "links").rglob("*.wav"))
    # The folders are not divided beforehand: the product does it.
    assert not [path for path in (tmp_path / "links").rglob("*") if path.name in SPLITS]
    config = configuration.load("keyword", ["keywords=[computer]", setting])
    assert [source.name for source in config.data.sources] == ["", "recorded"]


@pytest.mark.parametrize("part", sorted(wake_word_models.PARTS))
def test_every_part_of_the_recipe_is_there_to_be_taken_away(part):
    with_it = configuration.load("keyword")
    without = configuration.load("keyword", wake_word_models.without([part]))
    assert with_it != without


def test_a_condition_is_the_recording_with_its_noise_at_its_level(laid_out):
    def streams(condition):
        return list(wake_word_streams.word_streams(laid_out.folder, "computer", condition))

    quiet = streams(wake_word_streams.QUIET)
    assert len(quiet) == stand_in.WAKE_WORDS["computer"]
    for condition, snr_db in (("pink noise 20 dB", 20), ("dishes 10 dB", 10), ("babble 10 dB", 10)):
        for (plain, truth), (noisy, own) in zip(quiet, streams(condition), strict=True):
            (word,) = truth.words
            assert own == truth and word.start_ms > 2500  # after the lead-in
            active = slice(word.start_ms * 16, word.end_ms * 16)
            noise = noisy.astype(float) - plain
            level = 20 * np.log10(plain[active].astype(float).std() / noise.std())
            assert level == pytest.approx(snr_db, abs=0.3)
    for (plain, truth), (reverberated, own) in zip(quiet, streams("room"), strict=True):
        (word,) = truth.words
        active = slice(word.start_ms * 16, word.end_ms * 16)
        assert own == truth and np.corrcoef(plain, reverberated)[0, 1] < 0.98
        assert np.std(reverberated[active]) == pytest.approx(np.std(plain[active]), rel=0.02)
