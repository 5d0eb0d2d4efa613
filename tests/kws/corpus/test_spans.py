"""Spans are found by their folders' names, in TFX's pattern; the component's test asks TFX too."""

from collections.abc import Callable

import pytest

from kws.corpus.spans import Span, check_pattern, find_spans, last_spans
from kws.errors import KwsError


def tree(*paths: str) -> Callable[[str], list[str]]:
    """Lists the folders of a tree that is given by its leaves."""

    def list_folders(inside: str) -> list[str]:
        start = f"{inside}/" if inside else ""
        below = [path[len(start) :] for path in paths if path.startswith(start)]
        return sorted({path.split("/")[0] for path in below})

    return list_folders


def test_spans_are_ordered_as_numbers_and_strangers_are_passed_over():
    folders = tree("day-2", "day-10", "day-9", "day-x", "other", "day-3.old")
    assert find_spans("day-{SPAN}", folders) == [
        Span(2, 0, "day-2"),
        Span(9, 0, "day-9"),
        Span(10, 0, "day-10"),
    ]
    assert [s.number for s in find_spans("day-{SPAN:2}", folders)] == [10]


def test_the_highest_version_of_a_span_counts():
    folders = tree("3/v1", "3/v10", "3/v9", "4/v1")
    found = find_spans("{SPAN}/v{VERSION}", folders)
    assert found == [Span(3, 10, "3/v10"), Span(4, 1, "4/v1")]


def test_dates_are_days_since_1970():
    folders = tree("1970-01-02", "2026-02-28", "2026-02-31")
    found = find_spans("{YYYY}-{MM}-{DD}", folders)
    assert [(s.number, s.folder) for s in found] == [(1, "1970-01-02"), (20512, "2026-02-28")]


def test_the_last_spans_are_those_that_there_are():
    found = find_spans("{SPAN}", tree("1", "5", "7"))
    assert [span.number for span in last_spans(found, 2, "")] == [5, 7]
    assert [span.number for span in last_spans(found, 9, "")] == [1, 5, 7]
    with pytest.raises(KwsError, match=r"there is no folder /data/\{SPAN\}"):
        last_spans([], 1, "/data/{SPAN}")


@pytest.mark.parametrize(
    "pattern",
    [
        "day",
        "{VERSION}",
        "{SPAN}/{SPAN}",
        "{SPAN}-{YYYY}-{MM}-{DD}",
        "{YYYY}",
        "{SPAN}/*",
        "/{SPAN}",
    ],
)
def test_a_pattern_that_tfx_would_not_take_is_refused(pattern):
    with pytest.raises(ValueError, match=r"pattern|folders below"):
        check_pattern(pattern)
