"""Clips are dealt to scenes like packs of cards."""

import itertools
from collections import Counter

import pytest

from kws.errors import KwsError
from kws.scenes.params import SceneParams
from kws.scenes.scene import deal_scenes, first_rank, most_dealt

YES = [f"yes{i}" for i in range(7)]
OTHER = [f"other{i}" for i in range(3)]
PARAMS = SceneParams(scenes=(60, 0, 0), positives=(0, 4), negatives=(1, 2))


def test_every_count_in_the_ranges_occurs_and_no_other():
    deals = list(deal_scenes(YES, OTHER, "train", PARAMS))
    assert len({deal.scene_id for deal in deals}) == 60
    counts = [Counter(name[:3] for name in deal.clip_ids) for deal in deals]
    assert {count["yes"] for count in counts} == {0, 1, 2, 3, 4}
    assert {count["oth"] for count in counts} == {1, 2}


def test_a_clip_comes_again_only_when_all_of_its_kind_were_dealt():
    dealt = [name for deal in deal_scenes(YES, OTHER, "train", PARAMS) for name in deal.clip_ids]
    for pack in (YES, OTHER):
        mine = [name for name in dealt if name in pack]
        for round_ in range(len(mine) // len(pack)):
            assert set(mine[round_ * len(pack) : (round_ + 1) * len(pack)]) == set(pack)


def test_the_order_of_clips_changes_nothing_and_more_scenes_keep_the_first():
    deals = list(deal_scenes(YES, OTHER, "train", PARAMS))
    assert list(deal_scenes(YES[::-1], OTHER[::-1], "train", PARAMS)) == deals
    more = deal_scenes(YES, OTHER, "train", PARAMS.model_copy(update={"scenes": (90, 0, 0)}))
    assert list(itertools.islice(more, 60)) == deals
    other_seed = PARAMS.model_copy(update={"seed": 1})
    assert list(deal_scenes(YES, OTHER, "train", other_seed)) != deals


def test_the_clips_of_lowest_rank_are_enough_as_many_as_there_are_places():
    many = [f"yes{i}" for i in range(1000)]
    params = PARAMS.model_copy(update={"scenes": (5, 0, 0)})
    first = sorted(many, key=lambda name: first_rank(params.seed, "train", name))
    first = first[: most_dealt("train", params)]
    assert len(first) == 20
    deals = list(deal_scenes(many, OTHER, "train", params))
    assert list(deal_scenes(first, OTHER, "train", params)) == deals


def test_a_split_without_words_of_a_wanted_kind_is_refused():
    with pytest.raises(KwsError, match="split train has no clip of a keyword"):
        list(deal_scenes([], OTHER, "train", PARAMS))
    with pytest.raises(KwsError, match="no clip of another word") as error:
        list(deal_scenes(YES, [], "train", PARAMS))
    assert "scenes.negatives=[0, 0]" in error.value.hint
    assert not list(deal_scenes([], [], "eval", PARAMS))  # no scenes are asked for
