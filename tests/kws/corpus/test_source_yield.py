"""A source that gives nothing, or loses most of it, is refused with the reasons and what to do."""

import pytest

from kws.corpus.folders import Corpus, Folder
from kws.corpus.inspect import FileReport
from kws.corpus.quarantine import Quarantined
from kws.corpus.source_yield import (
    SourcePart,
    SourceYield,
    add_misplaced,
    expected_parts,
    long_yields,
    refuse_losses,
    yield_of_recordings,
)
from kws.corpus.splits import Part
from kws.errors import DataError
from kws.splits import SPLITS

MINUTE_MS = 60_000
PLAIN = Corpus.of_folder("/words")
MIX = Corpus(
    (
        Folder(path="/sc", prefix="sc", source="sc"),
        Folder(path="/n", prefix="mine._negatives_", source="mine", kind="negatives"),
        Folder(path="/list", prefix="list", source="list", kind="manifest", manifest="l.csv"),
    )
)


def clips(usable: int, **lost: int) -> SourceYield:
    found = SourceYield()
    for number in range(usable):
        found.add(f"good/{number}.wav", "", "")
    for reason, count in lost.items():
        for number in range(count):
            found.add(f"{reason}/{number}.wav", reason, "so it is")
    return found


def test_half_may_be_lost_and_not_a_file_more():
    clips(5, truncated=5).refuse_loss("x", 0.5)
    with pytest.raises(DataError, match=r"x loses 6 of 11 files, at most 50% may be lost") as error:
        clips(5, truncated=4, silent=2).refuse_loss("x", 0.5)
    assert "truncated 4 (truncated/0.wav: so it is), silent 2 (silent/0.wav" in error.value.message
    assert "\n" not in str(error.value) and "ffmpeg -i" in (error.value.hint or "")
    clips(5, truncated=6).refuse_loss("x", 0.6)


def test_nothing_usable_is_refused_whatever_may_be_lost():
    with pytest.raises(DataError, match="x has no usable audio: not_audio 1"):
        clips(0, not_audio=1).refuse_loss("x", 1.0)
    with pytest.raises(DataError, match="x holds no recordings"):
        SourceYield().refuse_loss("x", 1.0)


def test_copies_of_what_another_source_gives_are_no_loss_but_contradictions_are():
    clips(1, duplicate=50, duplicate_gain=50).refuse_loss("x", 0.5)
    clips(0, duplicate=50).refuse_loss("x", 0.5)
    with pytest.raises(DataError, match="conflicting_label 2"):
        clips(1, conflicting_label=2, duplicate=9).refuse_loss("x", 0.5)


def test_counts_do_not_depend_on_the_order_and_the_first_file_by_name_is_the_example():
    files = [(f"{name}.wav", "silent" if name in "dab" else "") for name in "adcbfe"]
    forwards, backwards = SourceYield(), SourceYield()
    for name, reason in files:
        forwards.add(name, reason, "")
    for name, reason in reversed(files):
        backwards.add(name, reason, "")
    assert forwards == backwards
    assert (forwards.usable, forwards.lost) == (3, 3)
    assert forwards.reasons["silent"][:2] == (3, "a.wav")


def test_ffmpeg_is_advised_where_it_would_help():
    found = SourceYield()
    found.add("talk.m4a", "not_audio", "Format not recognised")
    with pytest.raises(DataError) as error:
        found.refuse_loss("x", 0.5)
    assert error.value.hint is not None and error.value.hint.startswith("install ffmpeg")


def test_long_recordings_count_by_minutes_which_their_size_tells_where_they_cannot_be_read():
    good = [FileReport(f"{i}.wav", MINUTE_MS, size_bytes=60 * 32_000) for i in range(10)]
    hours = FileReport("four_hours.wav", 0, b"", "malformed", "?", size_bytes=4 * 3600 * 32_000)
    found = yield_of_recordings([*good, hours])
    assert (found.usable, found.lost) == (pytest.approx(10), pytest.approx(240))
    with pytest.raises(DataError, match=r"240 of 250 minutes.*four_hours\.wav"):
        found.refuse_loss("x", 0.5, "minutes")
    # A megabyte is as long as in the readable files of its kind: of stereo at 44.1 kHz, 6 s.
    studio = [FileReport(f"{i}.wav", MINUTE_MS, size_bytes=60 * 176_400) for i in range(10)]
    lost = FileReport("bad.wav", 0, b"", "malformed", "?", size_bytes=5 * 60 * 176_400)
    assert yield_of_recordings([*studio, lost]).lost == pytest.approx(5)
    # Compressed ones are not taken for short because they are small.
    speech = FileReport("talk.m4a", 0, b"", "not_audio", "?", size_bytes=3600 * 8_000)
    assert yield_of_recordings([*good, speech]).lost == pytest.approx(60)


def test_many_short_losses_among_long_recordings_are_few_minutes():
    good = FileReport("day.wav", 600 * MINUTE_MS, size_bytes=600 * 60 * 32_000)
    short = [FileReport(f"{i}.wav", 0, b"", "too_short", "?", size_bytes=8_000) for i in range(100)]
    yield_of_recordings([good, *short]).refuse_loss("x", 0.01, "minutes")


def test_a_recording_of_which_no_split_can_use_its_part_is_lost():
    recordings = {split: [Part("_negatives_/a.wav", i / 3, (i + 1) / 3)] for i, split in
                  enumerate(SPLITS)}  # fmt: skip
    found = {"_negatives_/a.wav": FileReport("_negatives_/a.wav", 1500)}
    nothing = {split: [] for split in SPLITS}
    yields = long_yields(PLAIN, "negatives", recordings, nothing, found)
    with pytest.raises(DataError, match=r"negatives in /words/_negatives_ .* too_short 1"):
        refuse_losses(yields, PLAIN, (), 0.5)
    refuse_losses(long_yields(PLAIN, "negatives", recordings, recordings, found), PLAIN, (), 0.5)


def test_empty_folders_that_the_user_made_or_named_are_refused():
    good = {SourcePart("", "clips", "yes"): clips(3)}
    for made, message in (("_negatives_", "negatives"), ("_background_noise_", "backgrounds")):
        expected = expected_parts(PLAIN, lambda path, made=made: path == f"/words/{made}")
        with pytest.raises(DataError, match=f"{message} in /words/{made} holds no recordings"):
            refuse_losses(good, PLAIN, expected, 0.5)
    expected = expected_parts(MIX, lambda path: False)
    there = {SourcePart("sc", "clips", "yes"): clips(3), SourcePart("list", "clips"): clips(3)}
    with pytest.raises(DataError, match="source mine: negatives in /n holds no recordings"):
        refuse_losses(there, MIX, expected, 0.5)
    there[SourcePart("mine._negatives_", "negatives")] = clips(1)
    refuse_losses(there, MIX, expected, 0.5)
    del there[SourcePart("list", "clips")]
    with pytest.raises(DataError, match=r"source list: /list/l\.csv holds no recordings"):
        refuse_losses(there, MIX, expected, 0.5)


def test_one_keyword_that_loses_most_is_not_made_up_for_by_the_others():
    yields = {
        SourcePart("", "clips", "yes"): clips(1, truncated=2),
        SourcePart("", "clips", "no"): clips(500),
        SourcePart("", "clips"): clips(5000),
    }
    with pytest.raises(DataError, match=r"keyword 'yes' in /words loses 2 of 3 files"):
        refuse_losses(yields, PLAIN, (), 0.5)


def test_files_that_belong_to_nothing_count_where_they_would_have_belonged():
    misplaced = [
        Quarantined("sc/yes/deep/a.wav", "too_deep", "?"),
        Quarantined("sc/yes/deep/b.wav", "too_deep", "?"),
        Quarantined("sc/notes.doc", "not_audio_name", "?"),
        Quarantined("sc/stray.wav", "no_word_folder", "?"),
        Quarantined("mine._negatives_/a.xyz", "not_audio_name", "suffix .xyz"),
        Quarantined("list/l.csv:7", "manifest_row", "?"),
    ]
    yields = {SourcePart("sc", "clips", "yes"): clips(1), SourcePart("list", "clips"): clips(1)}
    add_misplaced(yields, MIX, misplaced, ("yes",))
    assert yields[SourcePart("sc", "clips", "yes")].lost == 2
    assert yields[SourcePart("list", "clips")].lost == 1
    assert yields[SourcePart("sc", "clips")].lost == 0
    with pytest.raises(DataError, match=r"source mine: .* not_audio_name 1 .*a\.xyz: suffix"):
        refuse_losses(yields, MIX, (), 0.9)


def test_a_few_strangers_beside_keywords_are_not_a_source_of_other_words():
    yields = {SourcePart("", "clips", "yes"): clips(3)}
    add_misplaced(yields, PLAIN, [Quarantined("notes.doc", "not_audio_name", "?")], ("yes",))
    refuse_losses(yields, PLAIN, (), 0.5)
    alone = {}
    add_misplaced(alone, PLAIN, [Quarantined("a.wav", "no_word_folder", "where?")], ("yes",))
    with pytest.raises(DataError, match=r"no usable audio: no_word_folder 1 \(a\.wav: where\?\)"):
        refuse_losses(alone, PLAIN, (), 0.5)
