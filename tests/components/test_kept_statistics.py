"""Statistics that were accepted are found by the runs after, as the resolver finds them locally."""

import pytest
from tfx.types import artifact_utils, standard_artifacts

from components.kept_statistics.executor import STATISTICS_FILE, Keeper, Previous
from kws.splits import TRAIN


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)


class Kept:
    """A folder of kept statistics, and runs that use it."""

    def __init__(self, root):
        self._root = root
        self._runs = 0

    def _statistics(self, span, content=None):
        self._runs += 1
        made = standard_artifacts.ExampleStatistics()
        made.uri = str(self._root / str(self._runs))
        made.span = span
        made.split_names = artifact_utils.encode_split_names([TRAIN])
        if content is not None:
            folder = self._root / str(self._runs) / f"Split-{TRAIN}"
            folder.mkdir(parents=True)
            (folder / STATISTICS_FILE).write_bytes(content)
        return made

    def keep(self, span, content):
        given = {"statistics": [self._statistics(span, content)], "anomalies": []}
        Keeper().Do(given, {}, {"folder": str(self._root / "kept")})

    def previous(self, span, content):
        """Span and content of what a run of these statistics is compared with; None for nothing."""
        found = self._statistics(0)
        given = {"current": [self._statistics(span, content)]}
        Previous().Do(given, {"statistics": [found]}, {"folder": str(self._root / "kept")})
        files = list((self._root / found.uri).glob(f"Split-*/{STATISTICS_FILE}"))
        return (found.span, files[0].read_bytes()) if files else None


def test_at_first_there_are_none(kept):
    assert kept.previous(1, b"a") is None


def test_those_of_an_earlier_span_go_first(kept):
    kept.keep(1, b"one")
    kept.keep(3, b"three")
    kept.keep(2, b"two")
    assert kept.previous(3, b"new three") == (2, b"two")


def test_of_a_span_the_last_ones_accepted(kept):
    kept.keep(1, b"a")
    kept.keep(1, b"b")
    kept.keep(1, b"a")
    assert kept.previous(2, b"c") == (1, b"a")


def test_without_spans_those_of_the_ingestion_before(kept):
    kept.keep(0, b"before")
    assert kept.previous(0, b"now") == (0, b"before")


def test_nothing_is_compared_with_itself(kept):
    kept.keep(0, b"same")
    assert kept.previous(0, b"same") is None
