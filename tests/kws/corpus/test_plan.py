"""The plan: exact shares, rare words only in test, one of each content, the same every time."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.corpus.clip_spec import ClipSpec
from kws.corpus.clip_table import gather
from kws.corpus.folders import Corpus, Folder
from kws.corpus.ingest_summary import check
from kws.corpus.inspect import FileReport
from kws.corpus.layout import Layout, Word, understand, understand_corpus
from kws.corpus.listing import Listing
from kws.corpus.params import IngestParams
from kws.corpus.plan import PLACE_CLIPS, Plan, make_plan
from kws.errors import KwsError
from kws.splits import SPLITS

SPEAKERS = [f"{i:08x}" for i in range(200)]
PARAMS = IngestParams(
    keywords=("yes", "no"),
    silence_percentage=10,
    unknown_percentage=25,
    negatives_percentage=5,
    rare_word_clips=250,
)


def corpus(params: IngestParams = PARAMS) -> tuple[Layout, list[FileReport]]:
    names = [f"{w}/{s}_nohash_0.wav" for w in ("yes", "no", "cat", "dog") for s in SPEAKERS]
    names += [f"cat/{s}_nohash_1.wav" for s in SPEAKERS]  # 400 clips; dog has 200: rare.
    names += [f"_background_noise_/{i}.wav" for i in range(4)] + ["_negatives_/talk.wav"]
    return understand(names, lambda name: "", params), [report(name) for name in names]


def report(name: str, content: str = "") -> FileReport:
    """On a usable file; two words have the same samples if their content is the same."""
    if name.startswith(("_background_noise_", "_negatives_")):
        return FileReport(name, 30_000)
    return FileReport(name, 1000, hashlib.md5((content or name).encode()).digest())


def plan_of(
    layout: Layout, reports: Sequence[FileReport], params: IngestParams, batch: int = 64
) -> Plan:
    """The plan of reports that come in batches."""
    words = {word.name: word for word in layout.words}
    batches = [reports[i : i + batch] for i in range(0, len(reports), batch)]
    split = [([words[one.name] for one in some if one.name in words], some) for some in batches]
    return make_plan(layout, gather(split), params)


def specs_of(plan: Plan) -> list[ClipSpec]:
    return [spec for _, specs in plan.places() for spec in specs]


def test_the_shares_are_exact_percentages_of_the_keyword_clips():
    specs = specs_of(plan_of(*corpus(), PARAMS))
    for split in SPLITS:
        labels = Counter(spec.label for spec in specs if spec.split == split)
        keywords = labels["yes"] + labels["no"]
        cats = sum(c.split == split and c.word == "cat" for c in specs)
        assert labels["_silence_"] == -(-keywords // 10)
        assert cats == -(-keywords // 4)
        talk = sum(spec.split == split and spec.source == "negatives" for spec in specs)
        assert talk == (-(-keywords // 20) if split == "train" else 0)


def test_a_rare_word_is_heard_in_test_only_and_all_of_it():
    layout, found = corpus()
    plan = plan_of(layout, found, PARAMS)
    specs = specs_of(plan)
    dogs = [spec for spec in specs if spec.word == "dog"]
    in_test = [w for w in layout.words if w.word == "dog" and w.split == "test"]
    assert {spec.split for spec in dogs} == {"test"} and len(dogs) == len(in_test)
    assert {spec.novelty for spec in dogs} == {"new_word"}
    assert {spec.novelty for spec in specs if spec.word == "cat"} == {"heard"}
    unused = plan.overview.unused
    assert unused["rare_word"]["train"] + unused["rare_word"]["eval"] == 200 - len(dogs)


def test_what_only_a_source_for_training_says_is_not_rare_and_all_of_it_is_trained_on():
    recorded = [f"{w}/{s}_nohash_0.wav" for w in ("yes", "no") for s in SPEAKERS]
    recorded += [f"dog/{s}_nohash_0.wav" for s in SPEAKERS[:9]]
    said = [f"{word}/voice{i}.wav" for word in ("yes", "dog", "tree") for i in range(30)]
    folders = (
        Folder(path="/recorded", prefix="recorded", source="recorded"),
        Folder(path="/said", prefix="said", source="said", split="train"),
    )
    names = {"/recorded": recorded, "/said": said}
    layout = understand_corpus(
        Corpus(folders), lambda path: Listing(names[path]), lambda name: "", PARAMS
    )
    assert layout.training_only == {"said"}
    reports = [report(word.name) for word in layout.words]
    params = PARAMS.model_copy(update={"unknown_percentage": 1000, "rare_word_clips": 100})
    specs = specs_of(plan_of(layout, reports, params))
    of_voices = Counter((spec.word, spec.split) for spec in specs if spec.source == "said")
    # A dog is rare, for it is recorded nine times: of the voices that say it none is used.
    assert of_voices == {("yes", "train"): 30, ("tree", "train"): 30}
    dogs = [spec for spec in specs if spec.word == "dog"]
    assert {spec.source for spec in dogs} <= {"recorded"}


def test_clips_of_words_that_nobody_named_are_never_a_rare_word():
    layout, found = corpus()
    names = [f"_unknown_/{s}_nohash_0.wav" for s in SPEAKERS[:50]]
    found += [report(name) for name in names]
    layout = understand([f.name for f in found], lambda name: "", PARAMS)
    params = PARAMS.model_copy(update={"unknown_percentage": 1000})
    specs = specs_of(plan_of(layout, found, params))
    assert sum(spec.word == "_unknown_" for spec in specs) == 50


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 400))
def test_the_order_of_the_reports_and_their_batches_change_nothing(chance, batch):
    layout, found = spoiled()
    expected = plan_of(layout, found, LENIENT)
    chance.shuffle(found)
    plan = plan_of(layout, found, LENIENT, batch)
    assert list(plan.places()) == list(expected.places())
    assert plan.overview == expected.overview and plan.tally() == expected.tally()


def spoiled() -> tuple[Layout, list[FileReport]]:
    """With copies within and across splits, of two labels, and files that cannot be read."""
    layout, found = corpus()
    copy_of = {0: 1, 5: 300, 7: 450, 8: 450, 600: 601, 620: 650}
    for i, other in copy_of.items():
        found[i] = report(found[i].name, content=found[other].name)
    for i in (20, 21, 700):
        found[i] = FileReport(found[i].name, reason="truncated", detail="1 byte")
    return dataclasses.replace(layout, misplaced={"a.doc": ("not_audio_name", "?")}), found


LENIENT = PARAMS.model_copy(update={"max_quarantine_share": 0.5})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"unknown_percentage": 0, "silence_percentage": 0, "negatives_percentage": 0},
        {"unknown_percentage": 1000, "rare_word_clips": 2, "seed": 5},
    ],
)
def test_the_tally_counts_the_clips_of_the_places(changes):
    plan = plan_of(*spoiled(), LENIENT.model_copy(update=changes))
    specs, tally = specs_of(plan), plan.tally()
    assert +tally.clips == Counter((spec.split, spec.label) for spec in specs)
    assert +tally.sources == Counter((spec.source, spec.split) for spec in specs)
    for split in SPLITS:
        speakers = {spec.speaker for spec in specs if spec.word and spec.split == split}
        assert tally.speakers[split] == len(speakers)


def test_another_seed_takes_other_clips():
    layout, found = corpus()
    first, other = (
        {spec.name for spec in specs_of(plan_of(layout, found, params)) if spec.word == "cat"}
        for params in (PARAMS, PARAMS.model_copy(update={"seed": 1}))
    )
    assert first != other


def test_a_small_plan_is_the_one_worked_out_by_hand():
    """By `printf 0:cat/r.wav | b2sum -l 64` (36a0…) and the like: of the cats in training r is
    lowest. `printf '0:yes/4.wav()0' | b2sum -l 64` (3c3a…) and the like give the order."""
    split_of = {"yes/1": "train", "yes/2": "train", "yes/3": "eval", "yes/4": "test"}
    split_of |= {"yes/5": "train"}  # A copy of what is in test.
    split_of |= {f"cat/{name}": "train" for name in "pqrs"} | {"cat/t": "eval", "dog/u": "test"}
    words = [
        Word(f"{name}.wav", name.split("/")[0], name[-1], split) for name, split in split_of.items()
    ]
    reports = [report(w.name, "4" if w.name in ("yes/4.wav", "yes/5.wav") else "") for w in words]
    params = IngestParams(
        keywords=("yes",), unknown_percentage=50, silence_percentage=0, rare_word_clips=2
    )
    none = {split: [] for split in SPLITS}
    plan = plan_of(Layout(words, none, none, {}), reports, params)
    assert [
        (spec.name, spec.split, spec.label, spec.speaker, spec.source, spec.novelty)
        for spec in specs_of(plan)
    ] == [
        ("yes/4.wav", "test", "yes", "4", "recordings", "keyword"),
        ("dog/u.wav", "test", "_unknown_", "u", "recordings", "new_word"),
        ("yes/3.wav", "eval", "yes", "3", "recordings", "keyword"),
        ("yes/1.wav", "train", "yes", "1", "recordings", "keyword"),
        ("cat/t.wav", "eval", "_unknown_", "t", "recordings", "heard"),
        ("yes/2.wav", "train", "yes", "2", "recordings", "keyword"),
        ("cat/r.wav", "train", "_unknown_", "r", "recordings", "heard"),
    ]
    assert [entry.path for entry in plan.overview.quarantine] == ["yes/5.wav"]
    assert plan.overview.leaks == 1 and plan.overview.files == 11
    assert plan.overview.words == {
        "cat": {"train": 4, "eval": 1, "test": 0},
        "dog": {"train": 0, "eval": 0, "test": 1},
        "yes": {"train": 2, "eval": 1, "test": 1},
    }
    assert plan.overview.unused["not_sampled"] == {"train": 3, "eval": 0, "test": 0}


def test_places_hold_about_as_many_clips_as_a_file_and_each_clip_is_in_one():
    names = [f"yes/{i:05d}_nohash_0.wav" for i in range(3000)]
    layout = understand(names, lambda name: "", PARAMS)
    params = IngestParams(keywords=("yes",), silence_percentage=0)
    places = dict(plan_of(layout, [report(name) for name in names], params).places())
    assert sorted(places) == list(range(1 + 3000 // PLACE_CLIPS))
    assert max(map(len, places.values())) < 1.3 * PLACE_CLIPS
    assert sorted(spec.name for specs in places.values() for spec in specs) == names


@pytest.mark.parametrize("lead_in_ms", [0, 1500])
def test_windows_and_what_goes_before_them_stay_inside_the_part_of_their_split(lead_in_ms):
    layout, found = corpus()
    params = PARAMS.model_copy(update={"lead_in_ms": lead_in_ms})
    specs = [spec for spec in specs_of(plan_of(layout, found, params)) if spec.starts_ms]
    for spec in specs:
        parts = layout.negatives if spec.source == "negatives" else layout.backgrounds
        part = next(part for part in parts[spec.split] if part.path == spec.name)
        for start_ms in spec.starts_ms:
            first_ms, last_ms = part.start_share * 30_000, part.end_share * 30_000
            assert first_ms + lead_in_ms <= start_ms <= last_ms - 1000
    gains = [spec.gain for spec in specs if spec.label == "_silence_"]
    assert min(gains) == 0 and 0.9 < max(gains) <= 1


def test_a_share_of_the_silence_is_short_and_the_rest_stays_as_it_is():
    layout, found = corpus()
    params = PARAMS.model_copy(update={"silence_percentage": 200})
    some = params.model_copy(update={"short_silence_share": 0.5})
    before, after = (
        {spec.seed: spec for spec in specs_of(plan_of(layout, found, chosen)) if spec.seed}
        for chosen in (params, some)
    )
    lengths = [stop - start for start, stop in (spec.heard for spec in after.values())]
    short = np.array(lengths)[np.array(lengths) < 1]
    assert len(short) == pytest.approx(len(lengths) / 2, rel=0.15)
    assert 0.25 <= short.min() < 0.3 and short.max() > 0.9
    assert all(0 <= start < stop <= 1 for start, stop in (s.heard for s in after.values()))
    for seed, spec in before.items():
        assert dataclasses.replace(after[seed], heard=(0.0, 1.0)) == spec


def test_a_content_with_several_labels_is_used_under_none():
    layout, found = corpus()
    found = [
        report(f.name, content="same") if f.name.endswith("00c7_nohash_0.wav") else f for f in found
    ]
    plan = plan_of(layout, found, PARAMS)
    assert [(q.path.split("/")[0], q.reason) for q in plan.overview.quarantine] == [
        (word, "conflicting_label") for word in ("cat", "dog", "no", "yes")
    ]
    assert not any("00c7_nohash_0" in spec.name for spec in specs_of(plan))


def test_a_corpus_without_backgrounds_has_made_up_noise_for_silence():
    found = [f for f in corpus()[1] if not f.name.startswith("_background")]
    plan = plan_of(understand([f.name for f in found], lambda name: "", PARAMS), found, PARAMS)
    silence = [spec for spec in specs_of(plan) if spec.label == "_silence_"]
    assert silence and {spec.name for spec in silence} == {""}
    assert max(spec.gain for spec in silence) <= 0.01


def test_too_much_in_quarantine_is_refused_with_reasons_and_examples():
    layout, found = corpus()
    found[:60] = [FileReport(f.name, reason="truncated", detail="") for f in found[:60]]
    with pytest.raises(KwsError) as refused:
        check(plan_of(layout, found, PARAMS).overview, PARAMS)
    assert "60 of 1005 files (6.0%)" in refused.value.message
    assert "truncated 60 (yes/00000000_nohash_0.wav, " in refused.value.message
    lenient = PARAMS.model_copy(update={"max_quarantine_share": 0.1})
    check(plan_of(layout, found, lenient).overview, lenient)


def test_a_keyword_without_clips_is_refused_with_the_words_there_are():
    params = IngestParams(keywords=("yes", "marvin"))
    with pytest.raises(KwsError, match=r"'marvin' has no usable clip.*cat \(400\), dog \(200\)"):
        check(plan_of(*corpus(params), params).overview, params)
    params = IngestParams(keywords=("yes",), test_percentage=0)
    with pytest.raises(KwsError, match=r"'yes' has no clip in split test \(train \d+, eval \d+"):
        check(plan_of(*corpus(params), params).overview, params)
    with pytest.raises(KwsError, match="no recordings"):
        check(plan_of(understand([], lambda name: "", params), [], params).overview, params)
