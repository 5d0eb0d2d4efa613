"""Figures over runs: a point each, bounds where chance is at play, refused runs marked."""

from kws.report.dashboard import pages, series


def test_each_figure_has_a_diagram_with_a_point_a_run(runs):
    drawn = series.section(runs[::-1])
    assert drawn.count("data-series=") == 3
    assert "tiny#1: 90.0\N{NO-BREAK SPACE}%" in drawn and "tiny#2: 70.0\N{NO-BREAK SPACE}%" in drawn
    # Accuracy and the rate have bounds, bytes have none.
    assert drawn.count("whisker95") == 4
    assert drawn.count('class="point"') == 3 + 0


def test_where_nothing_was_judged_it_says_so(runs):
    nothing = series.section([{**runs[0], "figures": {}}])
    assert "No run has come so far" in nothing and "data-series=" not in nothing
    assert "No run has come so far" not in series.section(runs)


def test_the_overview_lists_the_runs_with_links_and_verdicts(runs):
    text = pages.overview(runs)
    assert text.index('href="/run/tiny/2"') < text.index('href="/run/tiny/1"')
    assert "0 of 1 passed" in text and "1 of 1 passed" in text
