"""A user's recordings: what is read, what is kept back, what is said where something is amiss."""

import numpy as np
import pytest
import soundfile

from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.labels import label_list
from kws.training.user_clips import read_clips
from kws.training.user_examples import examples_of, replayed

RATE = 16000
FEATURES = FeatureParams()
LABELS = label_list(["yes", "no"])
ONE = label_list(["yes"])


def record(folder, count, seconds=0.8, seed=0, level=0.1):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        audio = np.random.default_rng([seed, number]).normal(0, level, int(seconds * RATE))
        soundfile.write(folder / f"{number}.wav", audio, RATE, "PCM_16")


def read(folder, keyword=None, labels=LABELS, share=0.3):
    return read_clips(folder, keyword, labels, FEATURES, share, seed=0)


def test_ten_clips_of_a_keyword_are_seven_to_learn_from_and_three_to_judge_by(tmp_path):
    record(tmp_path, 10)
    clips = read(tmp_path, "yes")
    assert (len(clips.train), len(clips.held_out), clips.keyword_clips) == (7, 3, 10)
    assert {len(clip.audio) for clip in (*clips.train, *clips.held_out)} == {RATE}
    ids = [clip.clip_id for clip in (*clips.train, *clips.held_out)]
    assert len(set(ids)) == 10
    # The model has one keyword: nothing needs to be said. The names of the files decide nothing.
    for path in sorted(tmp_path.iterdir()):
        path.rename(path.with_name(f"x{path.name}"))
    again = read(tmp_path, labels=ONE)
    assert [c.clip_id for c in again.held_out] == [c.clip_id for c in clips.held_out]


def test_folders_of_words_say_what_is_said_and_other_words_are_learned_as_unknown(tmp_path):
    record(tmp_path / "yes", 5, seed=1)
    record(tmp_path / "no", 1, seed=2)
    record(tmp_path / "yesterday", 3, seed=3)
    clips = read(tmp_path)
    assert {clip.label for clip in clips.held_out} == {"yes"}  # of one clip none is kept back
    labels = [clip.label for clip in clips.train]
    assert (labels.count("yes"), labels.count("no"), labels.count("_unknown_")) == (3, 1, 3)


def test_what_cannot_be_used_is_named_and_the_rest_is_taken(tmp_path):
    record(tmp_path, 6)
    (tmp_path / "7.wav").write_bytes(b"RIFF")
    record(tmp_path / "short", 1, seconds=0.1, seed=1)
    record(tmp_path / "quiet", 1, seed=2, level=1e-4)
    (tmp_path / "8.wav").write_bytes((tmp_path / "0.wav").read_bytes())
    clips = read(tmp_path, "no")
    assert clips.keyword_clips == 6
    reasons = {name: reason.split(":")[0] for name, reason in clips.unusable.items()}
    assert reasons.pop("7.wav") in ("truncated", "malformed", "not_audio")
    assert reasons == {
        "short/0.wav": "too_short", "quiet/0.wav": "silent", "8.wav": "duplicate",
    }  # fmt: skip


def test_each_mistake_gets_a_sentence_of_its_own(tmp_path):
    def refused(pattern, *arguments):
        with pytest.raises(KwsError, match=pattern) as error:
            read(*arguments)
        return error.value.hint

    (tmp_path / "empty").mkdir()
    assert "ten clips" in refused(r"empty holds no recordings", tmp_path / "empty")
    refused(r"nowhere is no folder", tmp_path / "nowhere")
    record(tmp_path / "flat", 3)
    assert "yes, no" in refused(r"which keyword is said in .*0\.wav", tmp_path / "flat")
    assert "new keyword" in refused(r"'stop' is none of .*: yes, no", tmp_path / "flat", "stop")
    assert "at least 4" in refused(r"3 usable clips", tmp_path / "flat", "yes")
    record(tmp_path / "words" / "stop", 5)
    assert "yes, no" in refused(r"folders of stop, none of a keyword", tmp_path / "words")
    (tmp_path / "flat" / "3.wav").write_bytes(b"")
    refused(
        r"3 usable clips of keywords; 1 could not be used, 3\.wav: empty", tmp_path / "flat", "no"
    )


def test_clips_are_heard_as_they_are_and_in_noise_and_always_the_same(tmp_path):
    record(tmp_path, 4)
    (clip, *_) = read(tmp_path, "yes").train
    copying = NoisyCopyParams(lead_in_ms=200, augment=AugmentParams(speed_share=1.0))

    def heard(copies, seed=0):
        return examples_of([clip], [], copying, copies, "train", LABELS, FEATURES, seed)

    clean, *noisy = heard(3)
    assert [one.augmentation for one in noisy] == ["noisy"] * 3 and clean.augmentation == "none"
    assert {one.label_index for one in (clean, *noisy)} == {LABELS.index("yes")}
    assert clean.features.shape == FEATURES.feature_shape
    assert len({one.features.tobytes() for one in (clean, *noisy)}) == 4
    for one, same, other in zip(noisy, heard(3)[1:], heard(3, seed=1)[1:], strict=True):
        np.testing.assert_array_equal(one.features, same.features)
        assert one.clip_id == same.clip_id != other.clip_id


def test_replay_takes_the_same_examples_in_whatever_order_they_come(tmp_path):
    record(tmp_path, 4)
    clips = read(tmp_path, "yes").train
    examples = examples_of(clips, [], NoisyCopyParams(), 4, "train", LABELS, FEATURES, 0)
    chosen = replayed(examples, 5, seed=0)
    assert [one.clip_id for one in replayed(examples[::-1], 5, seed=0)] == [
        one.clip_id for one in chosen
    ]
    assert len(replayed(examples, 100, seed=0)) == len(examples)


def test_a_word_that_looks_like_a_keyword_is_refused_and_one_in_another_form_is_it(tmp_path):
    record(tmp_path / "cased" / "yes", 5)
    record(tmp_path / "cased" / "No", 1, seed=1)
    with pytest.raises(KwsError, match=r"'No' is not the keyword 'no'.*did you mean 'no'"):
        read(tmp_path / "cased")
    record(tmp_path / "flat", 5)
    with pytest.raises(KwsError, match=r"--keyword: 'YES' is not .* did you mean 'yes'"):
        read(tmp_path / "flat", "YES")
    record(tmp_path / "forms" / "o\u0308ffnen", 5)
    labels = label_list(["\u00f6ffnen"])
    assert {clip.label for clip in read(tmp_path / "forms", labels=labels).train} == {"\u00f6ffnen"}
    assert read(tmp_path / "flat", "o\u0308ffnen", labels).keyword_clips == 5


def test_links_are_followed_and_what_is_left_out_is_named(tmp_path):
    record(tmp_path / "elsewhere", 5)
    clips = tmp_path / "clips"
    (clips / "no").mkdir(parents=True)
    (clips / "yes").symlink_to(tmp_path / "elsewhere")
    (clips / "no" / "up").symlink_to(clips)
    (clips / "notes.doc").touch()
    (clips / "._yes.wav").touch()
    found = read(clips)
    assert found.keyword_clips == 5
    assert {name: why.split(":")[0] for name, why in found.unusable.items()} == {
        "no/up/": "link_cycle",
        "notes.doc": "not_audio_name",
    }


def test_a_keyword_that_loses_most_of_its_clips_is_refused(tmp_path):
    record(tmp_path / "yes", 9)
    record(tmp_path / "no", 1, seed=1)
    for number in range(5):
        (tmp_path / "no" / f"{number}.m4a").write_bytes(b"\0\0\0\x20ftypM4A cut off")
    with pytest.raises(KwsError, match=r"clips of 'no' loses 5 of 6 files.*0\.m4a"):
        read(tmp_path)
