"""Nobody who has a copy is overlooked by the grid, however fine it is."""

import itertools
from collections import defaultdict

import numpy as np
import pytest

from kws.audio.duplicates import same_content
from kws.audio.examine import Finding
from kws.audio.suspects import FEW_RECORDINGS, dimensions, homes, suspects


def corpus() -> list[Finding]:
    """Strangers, and copies of some at other gains, inverted, loud and nearly silent."""
    rng = np.random.default_rng(1)
    found = []
    for number in range(300):
        sketch = rng.normal(0, 10 ** rng.uniform(0, 3), 32).astype(np.float32)
        sketches = [sketch]
        if number % 10 == 0:
            noise = rng.normal(0, 0.3, (2, 32)).astype(np.float32)
            sketches += [-0.5 * sketch + noise[0], 0.9 * sketch + noise[1]]
        for copy, one in enumerate(sketches):
            digest = f"{number} {copy}".encode()
            name = f"{number:03d}-{copy}.wav"
            found.append(Finding(name, 1000.0 + number % 2, digest, sketch=one.tobytes()))
    return found


@pytest.mark.parametrize("size", range(6))
def test_all_recordings_of_the_same_content_are_suspects_and_few_others(size):
    found = corpus()
    cells = defaultdict(list)
    for finding in found:
        for key, home in homes(finding, size):
            cells[key].append(home)
    assert sum(home.lives for cell in cells.values() for home in cell) == len(found)
    names = set(itertools.chain.from_iterable(suspects(cell) for cell in cells.values()))
    groups = same_content(found)
    assert len(groups) > 20  # Some copies are too noisy to be told.
    assert names == {found[i].name for group in groups for i in group}


def test_the_grid_gets_finer_with_the_corpus_and_not_too_fine():
    assert dimensions(0) == dimensions(FEW_RECORDINGS) == 0
    assert dimensions(FEW_RECORDINGS + 1) == 1
    assert 4 <= dimensions(FEW_RECORDINGS * 100) <= 6
    assert dimensions(10**12) == 8
