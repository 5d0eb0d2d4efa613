"""The plan: exact shares, rare words only in test, one of each content, the same every time."""

import random
from collections import Counter

import pytest

from kws.audio.examine import Finding
from kws.audio.ingest_summary import check
from kws.audio.layout import Layout, understand
from kws.audio.params import IngestParams
from kws.errors import KwsError
from kws.splits import SPLITS
from tests.kws.audio.plan_in_one_place import make_plan

SPEAKERS = [f"{i:08x}" for i in range(200)]
PARAMS = IngestParams(
    keywords=("yes", "no"),
    silence_percentage=10,
    unknown_percentage=25,
    negatives_percentage=5,
    rare_word_clips=250,
)


def corpus(params: IngestParams = PARAMS) -> tuple[Layout, list[Finding]]:
    names = [f"{w}/{s}_nohash_0.wav" for w in ("yes", "no", "cat", "dog") for s in SPEAKERS]
    names += [f"cat/{s}_nohash_1.wav" for s in SPEAKERS]  # 400 clips; dog has 200: rare.
    names += [f"_background_noise_/{i}.wav" for i in range(4)] + ["_negatives_/talk.wav"]
    found = [
        Finding(name, 30_000 if name[0] == "_" else 1000, b"" if name[0] == "_" else name.encode())
        for name in names
    ]
    return understand(names, lambda name: "", params), found


def test_the_shares_are_exact_percentages_of_the_keyword_clips():
    cuts = make_plan(*corpus(), PARAMS).cuts
    for split in SPLITS:
        labels = Counter(cut.label for cut in cuts if cut.split == split)
        keywords = labels["yes"] + labels["no"]
        cats = sum(c.split == split and c.word == "cat" for c in cuts)
        assert labels["_silence_"] == -(-keywords // 10)
        assert cats == -(-keywords // 4)
        talk = sum(cut.split == split and cut.source == "negatives" for cut in cuts)
        assert talk == (-(-keywords // 20) if split == "train" else 0)


def test_a_rare_word_is_heard_in_test_only_and_all_of_it():
    layout, found = corpus()
    plan = make_plan(layout, found, PARAMS)
    dogs = [cut for cut in plan.cuts if cut.word == "dog"]
    in_test = [w for w in layout.words if w.word == "dog" and w.split == "test"]
    assert {cut.split for cut in dogs} == {"test"} and len(dogs) == len(in_test)
    assert {cut.novelty for cut in dogs} == {"new_word"}
    assert {cut.novelty for cut in plan.cuts if cut.word == "cat"} == {"heard"}
    assert plan.unused["rare_word"]["train"] + plan.unused["rare_word"]["eval"] == 200 - len(dogs)


def test_clips_of_words_that_nobody_named_are_never_a_rare_word():
    layout, found = corpus()
    names = [f"_unknown_/{s}_nohash_0.wav" for s in SPEAKERS[:50]]
    found += [Finding(name, 1000, name.encode()) for name in names]
    layout = understand([f.name for f in found], lambda name: "", PARAMS)
    params = PARAMS.model_copy(update={"unknown_percentage": 1000})
    cuts = make_plan(layout, found, params).cuts
    assert sum(cut.word == "_unknown_" for cut in cuts) == 50


def test_the_order_of_the_findings_changes_nothing_and_the_seed_does():
    layout, found = corpus()
    first = make_plan(layout, found, PARAMS)
    random.Random(1).shuffle(found)
    assert make_plan(layout, found, PARAMS) == first
    other = make_plan(layout, found, PARAMS.model_copy(update={"seed": 1}))
    assert {c.name for c in other.cuts if c.word == "cat"} != {
        c.name for c in first.cuts if c.word == "cat"
    }


@pytest.mark.parametrize("lead_in_ms", [0, 1500])
def test_windows_and_what_goes_before_them_stay_inside_the_part_of_their_split(lead_in_ms):
    layout, found = corpus()
    params = PARAMS.model_copy(update={"lead_in_ms": lead_in_ms})
    cuts = [cut for cut in make_plan(layout, found, params).cuts if cut.starts_ms]
    for cut in cuts:
        parts = layout.negatives if cut.source == "negatives" else layout.backgrounds
        part = next(part for part in parts[cut.split] if part.path == cut.name)
        for start_ms in cut.starts_ms:
            first_ms, last_ms = part.start_share * 30_000, part.end_share * 30_000
            assert first_ms + lead_in_ms <= start_ms <= last_ms - 1000
    gains = [cut.gain for cut in cuts if cut.label == "_silence_"]
    assert min(gains) == 0 and 0.9 < max(gains) <= 1


def test_a_content_with_several_labels_is_used_under_none():
    layout, found = corpus()
    found = [
        Finding(f.name, f.duration_ms, b"same") if f.name.endswith("00c7_nohash_0.wav") else f
        for f in found
    ]
    plan = make_plan(layout, found, PARAMS)
    assert [(q.path.split("/")[0], q.reason) for q in plan.quarantine] == [
        (word, "conflicting_label") for word in ("cat", "dog", "no", "yes")
    ]
    assert not any("00c7_nohash_0" in cut.name for cut in plan.cuts)


def test_a_corpus_without_backgrounds_has_made_up_noise_for_silence():
    found = [f for f in corpus()[1] if not f.name.startswith("_background")]
    plan = make_plan(understand([f.name for f in found], lambda name: "", PARAMS), found, PARAMS)
    silence = [cut for cut in plan.cuts if cut.label == "_silence_"]
    assert silence and {cut.name for cut in silence} == {""}
    assert max(cut.gain for cut in silence) <= 0.01


def test_too_much_in_quarantine_is_refused_with_reasons_and_examples():
    layout, found = corpus()
    found[:60] = [Finding(f.name, reason="truncated", detail="") for f in found[:60]]
    with pytest.raises(KwsError) as refused:
        check(make_plan(layout, found, PARAMS), PARAMS)
    assert "60 of 1005 files (6.0%)" in refused.value.message
    assert "truncated 60 (yes/00000000_nohash_0.wav, " in refused.value.message
    check(make_plan(layout, found, PARAMS), PARAMS.model_copy(update={"max_quarantine_share": 0.1}))


def test_a_keyword_without_clips_is_refused_with_the_words_there_are():
    params = IngestParams(keywords=("yes", "marvin"))
    with pytest.raises(KwsError, match=r"'marvin' has no usable clip.*cat \(400\), dog \(200\)"):
        check(make_plan(*corpus(params), params), params)
    params = IngestParams(keywords=("yes",), test_percentage=0)
    with pytest.raises(KwsError, match=r"'yes' has no clip in split test \(train \d+, eval \d+"):
        check(make_plan(*corpus(params), params), params)
    with pytest.raises(KwsError, match="no recordings"):
        check(make_plan(understand([], lambda name: "", params), [], params), params)
