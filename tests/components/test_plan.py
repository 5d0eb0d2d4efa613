"""The plan by many workers is the plan that one makes of lists of all files."""

import dataclasses
from typing import Any

import apache_beam as beam
import pytest

from components.audio_example_gen.plan import MakePlan
from components.audio_example_gen.plan_steps import Rest, pack
from kws.audio.corpus import Corpus
from kws.audio.examine import Finding
from kws.audio.layout import Layout
from kws.audio.params import IngestParams
from kws.audio.plan import Overview, mixing
from tests.kws.audio.plan_in_one_place import make_plan
from tests.kws.audio.test_plan import PARAMS, corpus

_RESULT: dict[str, list[Any]] = {}


def plan(layout: Layout, findings: list[Finding], params: IngestParams) -> dict[str, list[Any]]:
    """What `MakePlan` gives, of batches of seven files."""
    found = {finding.name: finding for finding in findings}
    words = [layout.words[i : i + 7] for i in range(0, len(layout.words), 7)]
    batches = [pack(some, [found.pop(word.name) for word in some]) for some in words]
    batches.append(pack([], list(found.values())))
    rest = Rest(dataclasses.replace(layout, words=[]), len(layout.words))
    _RESULT.clear()
    with beam.Pipeline() as pipeline:
        made = (
            pipeline | "Batches" >> beam.Create(batches),
            pipeline | "Rest" >> beam.Create([rest]),
        ) | MakePlan(params, Corpus.of_folder("/words"))
        for name, part in made.items():
            _ = (
                part
                | f"List{name}" >> beam.combiners.ToList()
                | f"Keep{name}" >> beam.Map(lambda items, name=name: _RESULT.update({name: items}))
            )
    return _RESULT


def spoiled() -> tuple[Layout, list[Finding]]:
    """With copies within and across splits, of two labels, and files that cannot be read."""
    layout, found = corpus()
    digests = {0: 1, 5: 300, 7: 450, 8: 450, 600: 601, 620: 650}
    changed = [
        dataclasses.replace(finding, digest=found[digests[i]].digest) if i in digests else finding
        for i, finding in enumerate(found)
    ]
    for i in (20, 21, 700):
        changed[i] = Finding(changed[i].name, reason="truncated", detail="1 byte")
    return dataclasses.replace(layout, misplaced={"a.doc": ("not_audio_name", "?")}), changed


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"unknown_percentage": 0, "silence_percentage": 0, "negatives_percentage": 0},
        {"unknown_percentage": 1000, "rare_word_clips": 2, "seed": 5},
    ],
)
def test_cuts_facts_and_counts_are_the_same(changes):
    params = PARAMS.model_copy(update={"max_quarantine_share": 0.5, **changes})
    layout, found = spoiled()
    expected = make_plan(layout, found, params)
    made = plan(layout, found, params)
    cuts = [cut for _, batch in made["cuts"] for cut in batch]
    assert sorted(cuts, key=lambda cut: mixing(cut, params)) == expected.cuts
    assert max(len(batch) for _, batch in made["cuts"]) <= 64

    (seen,) = made["seen"]
    assert seen.problem is None
    for field in dataclasses.fields(Overview):
        assert getattr(seen.overview, field.name) == getattr(expected, field.name), field.name

    (tally,) = made["tally"]
    assert tally.clips.total() == tally.sources.total() == len(cuts)
    assert tally.clips["train", "yes"] == sum(
        cut.split == "train" and cut.label == "yes" for cut in cuts
    )
    for split in ("train", "eval", "test"):
        speakers = {cut.speaker for cut in cuts if cut.word and cut.split == split}
        assert tally.speakers[split] == len(speakers)


def test_of_a_corpus_with_a_problem_no_clip_is_made():
    layout, found = spoiled()
    made = plan(layout, found, PARAMS.model_copy(update={"keywords": ("yes", "owl")}))
    (seen,) = made["seen"]
    assert "keyword 'owl' has no usable clip" in seen.problem["message"]
    assert made["cuts"] == []


def test_a_folder_without_recordings_is_a_problem_and_no_crash():
    empty = Layout(
        words=[],
        backgrounds={split: [] for split in ("train", "eval", "test")},
        negatives={split: [] for split in ("train", "eval", "test")},
        misplaced={},
    )
    (seen,) = plan(empty, [], PARAMS)["seen"]
    assert "no recordings" in seen.problem["message"]
