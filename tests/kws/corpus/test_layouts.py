"""What ingestion knows of the archives of public corpora, on tiny ones in their true layouts."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kws.corpus import archive, index, layout
from kws.corpus.contents import Contents
from kws.corpus.folders import Corpus, Folder
from kws.corpus.layouts import LAYOUTS
from kws.corpus.params import IngestParams
from kws.corpus.splits import Part
from kws.errors import KwsError
from tests.kws.corpus import archives


def unpacked(folder: Path, files: Mapping[str, bytes], name: str) -> Path:
    """A corpus folder as the store makes it."""
    folder.mkdir(parents=True)
    packed = folder.with_suffix(".tar.gz")
    packed.write_bytes(archives.tar_gz(files))
    wanted = LAYOUTS[name].wanted
    archive.unpack_to(packed, folder / index.FILES_FOLDER, wanted=wanted)
    index.build(folder, name)
    return folder


def contents(folder: Path, keywords=("computer",), uses=()) -> Contents:
    return index.contents((folder / index.INDEX_FILE).read_text(), keywords, uses)


def titles(names: list[str]) -> list[str]:
    return [Path(name).stem for name in names]


def test_librispeech_leaves_out_the_utterances_that_hold_a_keyword(tmp_path):
    folder = unpacked(tmp_path / "c", archives.librispeech(), "librispeech")
    found = contents(folder, ("computer", "ok toaster", "no"))
    assert titles(found.negatives) == ["251-118436-0000", "84-121123-0000"]
    assert {Path(name).stem: why for name, why in found.left_out.items()} == {
        "84-121123-0001": "'computer' is said in it",
        "422-122949-0000": "'ok toaster' is said in it",
        "174-50561-0000": "'no' is said in it",
    }
    assert set(found.groups.values()) == {"librispeech-84", "librispeech-251"}
    assert not found.backgrounds and not found.rooms
    summary = index.read_summary(folder)
    assert summary is not None and summary.recordings == {"negatives": 5}
    assert summary.hours == pytest.approx(15 / 3600) and summary.groups == 4


def test_musan_is_speech_music_and_noise_and_a_musician_is_one_group(tmp_path):
    folder = unpacked(tmp_path / "c", archives.musan(), "musan")
    found = contents(folder)
    assert len(found.negatives) == 12 and len(found.backgrounds) == 8
    assert not [name for name in found.backgrounds if "speech" in name]
    groups = {Path(name).stem: group for name, group in found.groups.items()}
    assert groups["music-fma-0000"] == groups["music-fma-0001"] == "musan-Two Hands"
    assert groups["music-fma-0003"] == "music-fma-0003"
    assert groups["noise-free-sound-0001"] == "noise-free-sound-0001"
    noise_alone = contents(folder, uses=("backgrounds",))
    assert noise_alone.negatives == [] and noise_alone.backgrounds == found.backgrounds


def test_rirs_are_rooms_of_their_own_and_noises_named_as_in_musan(tmp_path):
    folder = unpacked(tmp_path / "c", archives.rirs(), "rirs")
    found = contents(folder)
    rooms = titles(found.rooms)
    assert len(rooms) == 2 * 2 * 2 + 2  # the 77th response of a room is not unpacked
    assert not [name for name in rooms if name.endswith("00077")]
    groups = {found.groups[name] for name in found.rooms}
    assert groups == {
        *(f"rirs-{size}-Room00{n}" for size in ("smallroom", "largeroom") for n in (1, 2)),
        "rirs-RVB2014_largeroom1",
    }
    assert titles(found.backgrounds) == [
        "noise-free-sound-0001", "RVB2014_type1_noise_largeroom1_1",
    ]  # fmt: skip


def test_dipco_keeps_a_microphone_a_device_and_cuts_out_what_holds_a_keyword(tmp_path):
    folder = unpacked(tmp_path / "c", archives.dipco(), "dipco")
    found = contents(folder)
    assert titles(found.negatives) == ["S02_U01.CH7", "S02_U02.CH7"]
    assert set(found.groups.values()) == {"dipco-S02"}
    first, second = (found.stretches[name] for name in found.negatives)
    # Said from 10.25 to 12.25 s by the first device's clock, 10 to 12 by the other's; a second
    # more is left out on both sides.
    assert first == (pytest.approx((0, 9.25 / 20)), pytest.approx((13.25 / 20, 1)))
    assert second == (pytest.approx((0, 9 / 20)), pytest.approx((13 / 20, 1)))
    assert len(found.left_out) == 2
    assert contents(folder, ("toaster",)).stretches == {}


def test_dipcos_sessions_with_a_guest_in_common_stay_together(tmp_path):
    files = {**archives.dipco("S02"), **archives.dipco("S04")}
    folder = unpacked(tmp_path / "c", files, "dipco")
    assert set(contents(folder).groups.values()) == {"dipco-S02"}


def test_demand_is_one_channel_of_one_place_and_fma_counts_what_is_broken(tmp_path):
    kitchen = unpacked(tmp_path / "d", archives.demand(), "demand")
    assert [Path(name).name for name in contents(kitchen).backgrounds] == ["ch01.wav"]
    assert sorted(p.name for p in kitchen.rglob("*.wav")) == ["ch01.wav"]
    music = unpacked(tmp_path / "f", archives.fma(), "fma")
    assert titles(contents(music).backgrounds) == ["000002", "100001"]
    summary = index.read_summary(music)
    assert summary is not None and summary.unreadable == {"empty_file": 1}


def test_an_archive_of_another_layout_is_refused_with_what_is_in_it(tmp_path):
    with pytest.raises(KwsError, match="no recording lies where the layout librispeech has them"):
        unpacked(tmp_path / "c", {"notes/README.TXT": b"nothing"}, "librispeech")
    broken = {**archives.dipco(), "Dipco/transcriptions/dev/S02.json": b'{"words": []}'}
    with pytest.raises(KwsError, match="a transcript is not as the layout dipco has it"):
        unpacked(tmp_path / "e", broken, "dipco")


def test_corpora_are_split_by_speaker_room_and_musician_and_kinds_agree(tmp_path):
    """No group is in two splits, whatever it is used for and whichever corpus it is in."""
    places = {
        name: unpacked(tmp_path / name, getattr(archives, name)(), name)
        for name in ("librispeech", "musan", "rirs", "dipco")
    }
    corpus = Corpus(
        tuple(
            Folder(
                path=str(path), kind="corpus", prefix=name, source=name, manifest=index.INDEX_FILE
            )
            for name, path in places.items()
        )
    )
    params = IngestParams(keywords=("computer",))
    found = layout.understand_corpus(
        corpus, layout.list_files, lambda path: Path(path).read_text(), params
    )
    groups: dict[str, str] = {}
    for name, path in places.items():
        groups |= {f"{name}/{n}": g for n, g in contents(path).groups.items()}
    splits: dict[str, set[str]] = {}
    for kind in (found.negatives, found.backgrounds, found.rooms):
        for split, parts in kind.items():
            assert parts, "every split has some of every kind"
            for part in parts:
                # One session, and one noise beside a known one, are divided by time.
                if not part.path.startswith("dipco") and "RVB2014_type1_noise" not in part.path:
                    splits.setdefault(groups[part.path], set()).add(split)
    assert len(splits) > 15 and all(len(seen) == 1 for seen in splits.values())
    dipco = {s: [p for p in ps if p.path.startswith("dipco")] for s, ps in found.negatives.items()}
    assert dipco["train"][0] == Part("dipco/files/Dipco/audio/dev/S02_U01.CH7.wav", 0.0, 0.4625)
    # The keyword is said near the end of the training part, the first three fifths of the session.
    assert {s: len(parts) for s, parts in dipco.items()} == {"train": 2, "eval": 2, "test": 2}
    assert len(found.left_out) == 3
