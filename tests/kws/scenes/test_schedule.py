"""When words are said."""

import itertools
from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.scenes.section import CROSSFADE_MS, schedule


@settings(max_examples=150, deadline=None)
@given(
    durations=st.lists(st.integers(10, 5000), min_size=1, max_size=20),
    shortest=st.floats(0, 3),
    spread=st.floats(0, 5),
    minimum_ms=st.integers(1, 200_000),
    seed=st.integers(0, 1000),
)
def test_words_never_overlap_and_crossfades_never_touch_them(
    durations, shortest, spread, minimum_ms, seed
):
    gap_s = (shortest, shortest + spread)
    margin = min(150, int(shortest * 1000 / 3))
    words = itertools.cycle([SimpleNamespace(duration_ms=d) for d in durations])
    sections = schedule(words, gap_s, minimum_ms, margin, np.random.default_rng(seed))
    said = [(start, start + w.duration_ms) for s in sections for start, w in s.words]
    gaps_ms = [begin - end for (_, end), (begin, _) in itertools.pairwise(said)]
    gaps_ms += [said[0][0], sections[-1].stop_ms - said[-1][1]]
    assert all(shortest * 1000 - 1 <= gap <= gap_s[1] * 1000 + 1 for gap in gaps_ms)

    assert sections[0].start_ms == 0 and sections[0].fade_in_ms == 0
    assert sections[-1].stop_ms >= minimum_ms and sections[-1].fade_out_ms == 0
    longest_end_ms = max(durations) + 2 * gap_s[1] * 1000 + 2
    assert sections[-1].stop_ms <= minimum_ms + longest_end_ms
    for left, right in itertools.pairwise(sections):
        assert left.stop_ms == right.start_ms
        assert left.fade_out_ms == right.fade_in_ms <= CROSSFADE_MS
    for section in sections:
        for start, word in section.words:
            assert start - margin >= section.start_ms + section.fade_in_ms // 2
            end = start + word.duration_ms
            assert end + margin <= section.stop_ms - section.fade_out_ms // 2
