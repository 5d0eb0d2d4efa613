"""Overlap and places, against every millisecond counted one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.scenes.scene import find_place, is_overlapping

SEGMENT = st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda s: (s[0], s[0] + s[1]))


@given(segment=SEGMENT, previous=st.lists(SEGMENT, max_size=5))
def test_segments_overlap_if_they_share_a_millisecond_endpoints_included(segment, previous):
    mine = set(range(segment[0], segment[1] + 1))
    shared = any(mine & set(range(start, end + 1)) for start, end in previous)
    assert is_overlapping(segment, previous) == shared


@pytest.mark.parametrize(
    ("segment", "overlaps"), [((0, 10), True), ((0, 9), False), ((20, 25), True), ((21, 25), False)]
)
def test_a_shared_endpoint_is_overlap(segment, overlaps):
    assert is_overlapping(segment, [(10, 20)]) == overlaps


@settings(deadline=None)
@given(length=st.integers(1, 120), taken=st.lists(SEGMENT, max_size=3), seed=st.integers(0, 99))
def test_a_place_is_free_and_inside_or_there_is_none(length, taken, seed):
    place = find_place(length, 100, taken, 10, np.random.default_rng(seed))
    if place is None:
        assert length > 100 or taken
        return
    start, end = place
    assert start >= 0 and end <= 100 and end - start == length
    assert not is_overlapping(place, taken)


def test_the_first_and_the_last_place_are_drawn_too():
    places = {find_place(8, 10, [], 1, np.random.default_rng(seed)) for seed in range(40)}
    assert places == {(0, 8), (1, 9), (2, 10)}
