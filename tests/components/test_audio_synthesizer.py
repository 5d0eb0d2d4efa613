"""AudioSynthesizer on a small corpus: what it makes, and what it says when it cannot."""

import dataclasses
import io
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components.artifacts import AudioStreams
from components.audio_synthesizer.component import AudioSynthesizer
from components.audio_synthesizer.executor import (
    Executor,
    _check_negatives,
    planned_negatives,
    stream_params,
)
from components.audio_synthesizer.recordings import (
    HELD_BACKGROUND_MS,
    HELD_TALK_MS,
    find_negatives,
    find_rooms,
    load_rooms,
    sample_backgrounds,
    sample_talkers,
)
from components.audio_synthesizer.streams import sample_streams, stream_count, write_stream
from kws.audio import clip as clips
from kws.augment.params import NoisyCopyParams
from kws.errors import DataError, KwsError
from kws.labels import SILENCE, UNKNOWN
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.negatives import VARIED_FOLDER, Piece, join_negatives
from kws.scenes.params import StreamParams

RATE = 16000
SPLITS = ("train", "eval", "test")
COPIES = NoisyCopyParams(copies=2, eval_copies=1, lead_in_ms=250)
STREAMS = StreamParams(minutes=0.5, negatives_chunk_s=3)


def clip(split: str, number: int) -> clips.Clip:
    rng = np.random.default_rng([SPLITS.index(split), number])
    audio = np.zeros(RATE, np.int16)
    audio[5000:10000] = rng.normal(0, 3000, 5000)
    label = "yes" if number % 2 else UNKNOWN
    return clips.Clip(
        audio=audio, sample_rate=RATE, label=label, word=label, speaker=f"{split}{number}",
        source="t", clip_id=f"{split}{number}", novelty="keyword",
    )  # fmt: skip


def examples(folder: Path, order: int = 1) -> standard_artifacts.Examples:
    artifact = standard_artifacts.Examples()
    artifact.uri = str(folder)
    artifact.split_names = artifact_utils.encode_split_names(list(SPLITS))
    for split in SPLITS:
        path = folder / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz"
        path.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for number in range(6)[::order]:
                writer.write(clips.encode(clip(split, number)))
    return artifact


def corpus(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("_background_noise_/hiss", "_background_noise_/rumble", "_background_noise_/fan"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{name}.wav", rng.normal(0, 0.05, 5 * RATE), RATE, "PCM_16")
    (folder / "_negatives_").mkdir()
    soundfile.write(folder / "_negatives_/talk.wav", rng.normal(0, 0.05, 20 * RATE), RATE, "PCM_16")
    return folder


def synthesize(
    folder: Path,
    recordings: Path,
    order: int = 1,
    copies: NoisyCopyParams = COPIES,
    streams_params: StreamParams = STREAMS,
) -> tuple[Path, Path]:
    """Runs the executor with the execution properties that the component makes."""
    source = examples(folder / "in", order)
    component = AudioSynthesizer(
        channel_utils.as_channel([source]), str(recordings), copies, streams_params
    )
    made, streams = standard_artifacts.Examples(), AudioStreams()
    made.uri, streams.uri = str(folder / "out"), str(folder / "streams")
    Executor().Do(
        {"audio_examples": [source]},
        {"examples": [made], "streams": [streams]},
        component.exec_properties,
    )
    return Path(made.uri), Path(streams.uri)


def read_split(folder: Path, split: str) -> list[clips.Clip]:
    files = [str(path) for path in sorted((folder / f"Split-{split}").glob("data_tfrecord-*.gz"))]
    return [clips.decode(r.numpy()) for r in tf.data.TFRecordDataset(files, "GZIP")]


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("synthesized")
    return synthesize(folder, corpus(folder / "corpus"))


def test_each_clip_has_its_noisy_copies_in_its_own_split(synthesized):
    for split, count in (("train", 2), ("eval", 1), ("test", 1)):
        copies = read_split(synthesized[0], split)
        speakers = sorted(copy.speaker for copy in copies)
        assert speakers == sorted(f"{split}{n}" for n in range(6) for _ in range(count))
        assert len({copy.clip_id for copy in copies}) == len(copies)
        assert all(copy.augmentation == "noisy" and copy.snr_db is not None for copy in copies)
        assert all(len(copy.audio) == 4000 + RATE for copy in copies)


def test_streams_of_words_lie_beside_their_ground_truth(synthesized):
    for split in ("eval", "test"):
        folder = synthesized[1] / f"Split-{split}"
        truth = GroundTruth.from_json((folder / f"words-{split}-00.json").read_text())
        audio, rate = soundfile.read(io.BytesIO((folder / f"words-{split}-00.wav").read_bytes()))
        assert len(audio) * 1000 // rate == truth.duration_ms >= 30_000
        assert {word.label for word in truth.words} == {"yes", UNKNOWN}
        assert {word.speaker for word in truth.words} <= {f"{split}{n}" for n in range(6)}
    assert not (synthesized[1] / "Split-train").exists()


def test_streams_of_each_condition_say_the_same_words_in_every_split_judged(tmp_path):
    params = STREAMS.model_copy(update={"conditions": ("noise", "babble", "room")})
    _, streams = synthesize(
        tmp_path, corpus(tmp_path / "corpus"), copies=NoisyCopyParams(copies=0, eval_copies=0),
        streams_params=params,
    )  # fmt: skip
    for split in ("eval", "test"):
        folder = streams / f"Split-{split}"
        truths = [
            GroundTruth.from_json((folder / f"words-{split}-00-{name}.json").read_text())
            for name in params.conditions
        ]
        assert [truth.condition for truth in truths] == list(params.conditions)
        assert len({tuple((w.clip_id, w.start_ms) for w in truth.words) for truth in truths}) == 1
        sounds = {(folder / f"{truth.stream_id}.wav").read_bytes() for truth in truths}
        assert len(sounds) == 3
        assert len(list(folder.glob("words-*.wav"))) == 3


def test_negatives_of_a_corpus_of_voices_are_marked_and_those_beside_it_are_not(tmp_path):
    for name in ("voices", "mine"):
        corpus(tmp_path / name)
    # As `kws.voices.corpus.build` leaves it, wherever it was moved since.
    (tmp_path / "voices" / "corpus.json").write_text('{"params_hash": "00"}')
    (tmp_path / "mine" / "corpus.json").write_text('{"about": "my recordings"}')
    for name, synthesized in (("voices", True), ("mine", False)):
        found = find_negatives(str(tmp_path / name), "test", 10, 10)
        assert [piece.synthesized for piece in found] == [synthesized]


def test_negatives_are_streams_without_words(synthesized):
    for split in ("eval", "test"):
        paths = sorted((synthesized[1] / f"Split-{split}").glob("negatives-*.json"))
        truths = [GroundTruth.from_json(path.read_text()) for path in paths]
        # A fifth of twenty seconds, in streams of at most three.
        assert [truth.duration_ms for truth in truths] == [2000, 2000]
        assert all(truth.kind == "negatives" and not truth.words for truth in truths)
        assert all(path.with_suffix(".wav").exists() for path in paths)


def test_versions_of_eval_negatives_lie_apart_and_last_as_long_as_asked(tmp_path):
    hours = 7 / 3600
    params = STREAMS.model_copy(update={"varied_hours": hours})
    _, streams = synthesize(tmp_path, corpus(tmp_path / "corpus"), streams_params=params)
    truths = [
        GroundTruth.from_json(path.read_text())
        for path in sorted((streams / VARIED_FOLDER).glob("*.json"))
    ]
    # Both streams of 2 s in turn, until they last 7 s.
    names = [f"negatives-eval-00{place}-{turn}" for place in (0, 1) for turn in (1, 2)]
    assert [truth.stream_id for truth in truths] == names
    for truth in truths:
        audio, _ = soundfile.read(streams / VARIED_FOLDER / f"{truth.stream_id}.wav")
        assert truth.duration_ms == len(audio) * 1000 // RATE != 2000
        assert truth.kind == "negatives" and not truth.words
    assert not list((streams / "Split-eval").glob("negatives-eval-*-*.wav"))


def test_the_order_of_clips_changes_no_byte(synthesized, tmp_path):
    made, streams = synthesize(tmp_path, synthesized[0].parent / "corpus", order=-1)
    for split in SPLITS:
        before = {copy.clip_id: copy.audio.tobytes() for copy in read_split(synthesized[0], split)}
        assert {c.clip_id: c.audio.tobytes() for c in read_split(made, split)} == before
    names = sorted(str(path.relative_to(streams)) for path in streams.rglob("*.*"))
    assert len(names) == 12
    for name in names:
        assert (streams / name).read_bytes() == (synthesized[1] / name).read_bytes()


def test_without_backgrounds_it_says_what_to_put_where(tmp_path):
    with pytest.raises(KwsError, match="_background_noise_ has no recording") as error:
        synthesize(tmp_path, tmp_path / "corpus")
    assert "three files or more" in error.value.hint


def test_copies_can_be_laid_over_the_silence_of_another_run_without_any_corpus(tmp_path):
    """The silence is a tone in one split and missing in another, where there is pink noise."""
    own, other = examples(tmp_path / "in"), examples(tmp_path / "other")
    tone = (3000 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)).astype(np.int16)
    quiet = dataclasses.replace(clip("train", 0), audio=tone, label=SILENCE, word="", clip_id="s")
    file = tmp_path / "other" / "Split-train" / "data_tfrecord-00000-of-00001.gz"
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        writer.write(clips.encode(quiet))
    copying = COPIES.model_copy(update={"snr_db": (0.0, 0.0), "gain_db": (0.0, 0.0)})
    component = AudioSynthesizer(
        channel_utils.as_channel([own]), "nowhere", copying, None,
        backgrounds=channel_utils.as_channel([other]),
    )  # fmt: skip
    assert "streams" not in component.outputs
    made = standard_artifacts.Examples()
    made.uri = str(tmp_path / "out")
    Executor().Do(
        {"audio_examples": [own], "background_examples": [other]},
        {"examples": [made]},
        component.exec_properties,
    )

    def tonal_share(split):
        """Of the power of a copy's lead-in, within 50 Hz of the tone."""
        lead_ins = [
            copy.audio[: copy.lead_in_samples] for copy in read_split(Path(made.uri), split)
        ]
        power = np.sum([np.abs(np.fft.rfft(audio)) ** 2 for audio in lead_ins], axis=0)
        frequency = np.fft.rfftfreq(len(lead_ins[0]), 1 / RATE)
        return power[np.abs(frequency - 1000) < 50].sum() / power[frequency > 20].sum()

    assert len(read_split(Path(made.uri), "train")) == 12
    assert tonal_share("train") > 0.95 and tonal_share("test") < 0.2
    with pytest.raises(ValueError, match="leave out streams"):
        AudioSynthesizer(
            channel_utils.as_channel([own]), "nowhere", copying, STREAMS,
            backgrounds=channel_utils.as_channel([other]),
        )  # fmt: skip


@pytest.mark.parametrize(("minutes", "count"), [(0.5, 1), (10, 1), (10.5, 2), (60, 6)])
def test_ten_minutes_begun_are_a_stream_of_their_own(minutes, count):
    assert stream_count(StreamParams(minutes=minutes)) == count


def test_train_has_streams_only_where_they_are_asked_for():
    def laid(**asked):
        examples = channel_utils.as_channel([standard_artifacts.Examples()])
        component = AudioSynthesizer(examples, "corpus", COPIES, STREAMS, **asked)
        return {s: p.minutes for s, p in stream_params(component.exec_properties).items()}

    assert laid() == {"eval": 0.5, "test": 0.5}
    asked = laid(train_minutes=20.0, train_negatives_minutes=60.0)
    assert asked == {"eval": 0.5, "test": 0.5, "train": 20.0}


def test_hard_negatives_are_mined_in_the_mixture_whatever_the_conditions():
    params = STREAMS.model_copy(update={"conditions": ("noise",)})
    given = {"stream_params": params.to_json(), "train_stream_minutes": 20.0}
    laid = {split: own.conditions for split, own in stream_params(given).items()}
    assert laid == {"eval": ("noise",), "test": ("noise",), "train": ()}


def test_a_sample_of_streams_is_as_long_as_asked_and_the_same_in_whatever_order():
    streams = [(f"negatives-train-{i:03d}", [Piece("a.wav", 0, 60_000)]) for i in range(20)]
    chosen = sample_streams(streams, 150_000, seed=0)
    assert len(chosen) == 3 and chosen == sorted(chosen)
    assert sorted(sample_streams(streams[::-1], 150_000, seed=0)) == chosen
    assert sample_streams(streams, 0, seed=0) == []
    assert sample_streams(streams, 1e9, seed=0) == streams


def test_negatives_of_which_most_broke_off_while_they_were_read_stop_the_run(tmp_path):
    planned = [(f"negatives-test-{i:03d}", [Piece(f"/n/{i}.flac", 0, 60_000)]) for i in range(4)]

    def lay(number: int, minutes: float) -> None:
        audio = np.zeros(round(60 * minutes * 8000), np.int16)
        joined, truth = join_negatives([audio], 8000, planned[number][0])
        write_stream(str(tmp_path), joined, truth)

    with pytest.raises(DataError, match=r"split test: 0 of 4 minutes can be read of 4 recordings"):
        _check_negatives(str(tmp_path), "test", planned)
    lay(0, 1)
    with pytest.raises(DataError, match="1 of 4 minutes"):
        _check_negatives(str(tmp_path), "test", planned)
    lay(1, 1)
    _check_negatives(str(tmp_path), "test", planned)
    _check_negatives(str(tmp_path), "test", [])


def test_backgrounds_beyond_what_a_worker_holds_are_parts_of_many_recordings():
    minute = 60_000.0
    pieces = [Piece(f"/a/{i:03d}.wav", 0, 2 * minute, "music") for i in range(300)]
    chosen = sample_backgrounds(pieces, seed=1)
    assert sum(piece.duration_ms for piece in chosen) == HELD_BACKGROUND_MS
    assert len({piece.path for piece in chosen}) == len(chosen) == 90
    assert all(p.start_ms >= 0 and p.stop_ms <= 2 * minute for p in chosen)
    moved = [dataclasses.replace(p, path=p.path.replace("/a/", "/b/")) for p in pieces]
    again = sample_backgrounds(moved[::-1], seed=1)
    assert [(p.path[3:], p.start_ms) for p in again] == [(p.path[3:], p.start_ms) for p in chosen]
    few = pieces[:20]
    assert sample_backgrounds(few, seed=1) == few


def test_a_single_recording_that_is_too_long_is_used_from_its_beginning_to_its_end():
    hour = 3_600_000.0
    chosen = sample_backgrounds([Piece("/a/talk.wav", 1000.0, 1000.0 + hour)], seed=1)
    assert sum(piece.duration_ms for piece in chosen) == HELD_BACKGROUND_MS
    for one, following in itertools.pairwise(chosen):
        assert 1000.0 <= one.start_ms < one.stop_ms <= following.start_ms + 1e-6
    assert chosen[0].start_ms < 0.1 * hour and chosen[-1].stop_ms > 0.9 * hour


def test_half_an_hour_of_people_talk_each_source_as_much_as_it_has():
    hour = 3_600_000.0
    synthesized = [Piece(f"/n/bulk_{i}.wav", 0, 30_000.0, "voices") for i in range(80)]
    negatives = [
        Piece("/n/librispeech.wav", 0, 2 * hour, "recorded"),
        *synthesized,
        Piece("/n/sounds.wav", 0, hour, "recorded"),
        Piece("/n/music/1.wav", 0, hour, "recorded"),
        Piece("/m/1.wav", 0, hour, "Noise"),
    ]
    chosen = sample_talkers(negatives, seed=1)
    assert sum(piece.duration_ms for piece in chosen) == HELD_TALK_MS
    recorded = [piece for piece in chosen if piece.path == "/n/librispeech.wav"]
    assert {piece.source for piece in chosen if piece not in recorded} == {"voices"}
    # Three quarters of what there is.
    assert len(recorded) / len(chosen) == pytest.approx(0.75, abs=0.12)
    assert recorded[0].start_ms < 0.4 * hour and recorded[-1].stop_ms > 1.6 * hour
    assert sample_talkers(negatives[::-1], seed=1) == chosen


def test_parts_of_keywords_are_unknown_and_in_training_alone(tmp_path):
    params = NoisyCopyParams(copies=1, eval_copies=1, lead_in_ms=250, partial_copies=2)
    made, _ = synthesize(tmp_path, corpus(tmp_path / "corpus"), copies=params)
    for split, parts_of_each in (("train", 2), ("eval", 0), ("test", 0)):
        copies = read_split(made, split)
        parts = [copy for copy in copies if copy.augmentation == "partial"]
        keywords = [copy for copy in copies if copy.label == "yes"]
        assert keywords and len(parts) == parts_of_each * len(keywords)
        assert all(copy.label == UNKNOWN and copy.word.startswith("yes (") for copy in parts)
        assert {copy.speaker for copy in parts} <= {copy.speaker for copy in keywords}


def test_other_people_are_asked_for_where_none_are_recorded(tmp_path):
    recordings = corpus(tmp_path / "corpus")
    (recordings / "_negatives_/talk.wav").rename(recordings / "_negatives_/sounds.wav")
    params = NoisyCopyParams(babble_share=0.5)
    with pytest.raises(
        KwsError, match=r"\(babble_share=0.5\), but split train has no recording of"
    ):
        synthesize(tmp_path, recordings, copies=params)


def test_recorded_rooms_are_used_beside_simulated_ones(tmp_path):
    response = np.zeros((400, 2), np.float32)
    response[100], response[200], response[300] = (1.0, 0.0), (0.0, 1.0), (0.5, 0.0)
    paths = [str(tmp_path / f"{title}.wav") for title in ("one", "broken")]
    soundfile.write(paths[0], response, RATE, "FLOAT")
    Path(paths[1]).write_bytes(b"RIFF")
    (room,) = load_rooms(paths, RATE)
    # Of the first microphone alone: what reaches the second between is not in it.
    direct, between, echo = (room.response[room.direct_sample + n] for n in (0, 100, 200))
    assert echo == pytest.approx(0.5 * direct) and between == 0
    noted = {"backgrounds": {}, "negatives": {}, "rooms": {"train": [[p, 0, 1, ""] for p in paths]}}
    (tmp_path / "long_recordings.json").write_text(json.dumps(noted))
    assert find_rooms(str(tmp_path), "train", 9, seed=0) == sorted(paths)
    assert len(find_rooms(str(tmp_path), "train", 1, seed=0)) == 1
    assert find_rooms(str(tmp_path), "eval", 9, seed=0) == []


def test_negatives_of_a_split_are_laid_up_to_the_hours_asked_for(tmp_path):
    folder = str(corpus(tmp_path / "corpus"))
    every = planned_negatives("eval", STREAMS, 1e9, folder, 10, 10)
    assert [sum(piece.duration_ms for piece in pieces) for _, pieces in every] == [2000, 2000]
    some = planned_negatives("eval", STREAMS, 1500, folder, 10, 10)
    assert len(some) == 1 and some[0] in every
