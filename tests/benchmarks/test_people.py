"""Benchmarks that are judged on people's recordings; here a bent voice stands in for the people."""

import json
import re
from collections import Counter

import numpy as np
import pytest
import soundfile

from benchmarks import cascade, recipe, voices_worth, wake_words, zoo
from benchmarks.beam_parts import Parts
from kws.audio.clip import Clip, decode
from kws.splits import EVAL, SPLITS, TEST, TRAIN
from pipeline import config as configuration
from tests.benchmarks import stand_in
from tests.benchmarks.conftest import benchmark

VOICES = (
    "voices.unknown_words=[music, garden]", "voices.near_words=0", "voices.hibari_takes=4",
    "voices.hibari_keyword_takes=12", "voices.kokoro_takes=0", "voices.kokoro_unknown_takes=0",
    "voices.negative_sentences=[0, 0, 0]", "voices.bulk_sentences=2", "voices.background_seconds=6",
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
        "speech_commands",
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
    """One wake word's tiny model, and what the benchmark printed while it trained it."""
    from tests.benchmarks.conftest import private_place

    folder = tmp_path_factory.mktemp("kept") / "models"
    with private_place(tmp_path_factory.mktemp("place"), cache):
        ran = benchmark(
            "wake_words", laid_out.folder, "computer", "--recordings", "--keep", folder,
            "--workers", 1,
            *settings(*VOICES, *QUICK, TINY, "voices.kokoro_takes=1", "training.epochs=6",
                      "training.weight_average=0", "noisy_copies.keyword_copies=4",
                      "ingest.negatives_percentage=300"),
        )  # fmt: skip
    assert ran.status == 0, ran.message
    return folder, ran


def test_a_wake_word_is_trained_on_voices_and_judged_on_recordings(laid_out, kept, tmp_path):
    folder, trained = kept
    assert re.match(r"computer: \{'train': \d+, 'eval': \d+\} examples, \d+ param", trained.text)
    conversion = json.loads((folder / "computer" / "conversion.json").read_text())
    assert 0 <= conversion["int8_accuracy"] <= 1
    # Judged once more without training, the figures are the same; TFLM hears what TFLite heard.
    pictures = tmp_path / "pictures"
    ran = benchmark("wake_words", laid_out.folder, "computer", "--kept", folder,
                    "--det", pictures, "--tflm", 0.2)  # fmt: skip
    assert ran.status == 0, ran.text
    judged = [line for line in ran.text.splitlines() if "through TensorFlow" not in line]
    assert judged == trained.text.splitlines()[1:]
    assert (pictures / "computer.png").read_bytes().startswith(b"\x89PNG")
    said = stand_in.WAKE_WORDS["computer"]
    assert judged[0] == f"computer: {said} recordings"
    misses = re.findall(r"misses [\d.]+% \(95 %: .*?; (\d+) of (\d+)\)", ran.text)
    assert misses and all(int(missed) <= int(words) == said for missed, words in misses)
    assert (
        len(re.findall(r"0 of [\d,]+ posteriors differ, detections differ in 0 of", ran.text)) == 3
    )


def test_hours_of_the_wake_words_streams_are_those_of_the_recordings(laid_out, kept):
    _, trained = kept
    rate = stand_in.RATE
    dev = soundfile.info(laid_out.folder / "negatives/librispeech_dev.wav").frames / rate
    sounds = sum(
        soundfile.info(
            laid_out.folder / f"speech_commands/_negatives_/{split}/sounds.wav"
        ).frames / rate
        for split in (EVAL, TEST)
    )  # fmt: skip
    first = re.search(r"chosen in ([\d.]+) h of speech and sounds:", trained.text)
    assert float(first[1]) == pytest.approx((dev + sounds) / 3600, abs=0.005)


def test_nothing_is_overwritten_by_kept_models(laid_out, kept, capsys):
    folder, _ = kept
    ran = benchmark("wake_words", laid_out.folder, "computer", "--keep", folder)
    assert ran.status == 2 and "exists: nothing is overwritten" in capsys.readouterr().err


def test_a_cascade_of_a_model_with_itself_hears_no_more_than_the_model(laid_out, kept, monkeypatch):
    folder, _ = kept
    monkeypatch.setattr(cascade, "THRESHOLDS", (0.0, 1.1))
    ran = benchmark("cascade", laid_out.folder, "computer", folder, folder,
                    "--second-threshold", 0.5)  # fmt: skip
    assert ran.status == 0, ran.message
    lines = ran.text.splitlines()
    totals = [line.partition(": ")[2] for line in lines if not line.startswith("  ")]
    assert [line for line in lines if line.startswith("first stage")] == [lines[0], lines[4]]
    # Always awake is the second stage alone; never awake, every word is missed.
    assert totals[0] == totals[2]
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


def test_what_recordings_of_wake_words_are_trained_on_holds_none_of_the_word(laid_out, tmp_path):
    config = wake_words.settings("computer", laid_out.folder, True, (), tmp_path / "links")
    linked = [path.resolve() for path in (tmp_path / "links").rglob("*.wav")]
    assert linked and not [path for path in linked if "wake_words" in path.parts]
    assert config.keywords == ("computer",)
