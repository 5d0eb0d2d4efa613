"""What there is to do before a run is said with its time, before it starts and as it goes."""

import io

from rich.console import Console

from pipeline.runners.terminal_progress import duration, source_bar


def lines_of(terminal, *updates):
    out = io.StringIO()
    with source_bar(Console(file=out, force_terminal=terminal, width=100)) as progress:
        for positional, named in updates:
            progress(*positional, **named)
    return out.getvalue().splitlines()


def test_a_log_begins_with_the_plan_and_tells_the_time_left_by_tenths_of_the_time():
    assert lines_of(
        False,
        ((0, 100, 0), {"remaining_s": 200}),
        ((4, 100, 10), {"remaining_s": 190}),
        ((8, 100, 25), {"remaining_s": 175}),
        ((90, 100, 100), {"remaining_s": 100}),
        ((100, 100, 110), {"remaining_s": 0}),
    ) == [
        "  Voices: 100 clips to make, about 3 min",
        "  Voices: 8 of 100 clips, 25 s, about 3 min left",
        "  Voices: 90 of 100 clips, 100 s, about 2 min left",
        "  Voices: 100 of 100 clips, 110 s",
    ]


def test_bytes_are_told_by_their_own_pace_and_what_is_there_already_not_at_all():
    loading = {"what": "Loading words", "unit": "MB"}
    assert lines_of(False, ((0, 50, 0), loading), ((10, 50, 20), loading)) == [
        "  Loading words: 10 of 50 MB, 20 s, about 80 s left"
    ]
    assert lines_of(False, ((50, 50, 0), {"remaining_s": 0})) == []


def test_a_terminal_gets_the_plan_too():
    shown = "".join(lines_of(True, ((1, 9, 0), {"remaining_s": 5400})))
    assert "Voices: 8 clips to make, about 1.5 h" in shown


def test_durations_are_as_exact_as_an_estimate_is():
    told = [duration(seconds) for seconds in (0, 59.6, 89, 91, 3 * 60 + 10, 5399, 2.46 * 3600)]
    assert told == [
        *("about 1 s", "about 60 s", "about 89 s", "about 2 min"),
        *("about 3 min", "about 90 min", "about 2.5 h"),
    ]
