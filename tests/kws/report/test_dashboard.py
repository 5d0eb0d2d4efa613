"""The dashboard's pages: figures over runs with their bounds, features, names that are text."""

import re

from kws.report import dashboard, data_statistics


def _features(content: bytes) -> str:
    statistics = dashboard.Statistics(
        features=data_statistics.features({"train": content, "test": content}),
        datasets=["train", "test"],
    )
    run = {"run": "tiny#1", "state": "pushed", "started": "", "gates": []}
    return dashboard.run_page(run, None, None, [], [], statistics)


def test_each_figure_has_a_plot_with_a_point_a_run(runs):
    page = dashboard.runs_page(runs)
    plots = re.findall(r'<figure data-series="(\w+)">.*?</figure>', page, re.DOTALL)
    assert plots == ["accuracy", "false_accepts_per_hour", "flash_bytes"]
    assert "<title>tiny#1: 90.0\N{NO-BREAK SPACE}%" in page
    assert "<title>tiny#2: 70.0\N{NO-BREAK SPACE}%" in page
    # Accuracy and the rate have bounds, bytes have none.
    assert page.count('class="bounds"') == 4


def test_where_nothing_was_evaluated_it_says_so(runs):
    nothing = dashboard.runs_page([{**runs[0], "figures": {}}])
    assert "No run has been evaluated yet." in nothing and "data-series=" not in nothing
    assert "No run has been evaluated yet." not in dashboard.runs_page(runs)


def test_the_runs_are_listed_with_links_and_verdicts(runs):
    text = dashboard.runs_page(runs)
    assert text.index('href="/run/tiny/2"') < text.index('href="/run/tiny/1"')
    assert "0 of 1 passed" in text and "1 of 1 passed" in text


def test_each_feature_is_drawn_for_each_dataset_and_names_are_text(content):
    drawn = _features(content)
    assert "Density of level in train, test" in drawn
    assert drawn.count("train 50.0\N{NO-BREAK SPACE}%, test 50.0\N{NO-BREAK SPACE}%") == 1
    assert "&lt;b&gt;" in drawn and "<b>" not in drawn
    assert "Nearly every example has a value of its own." in drawn
    # Quantiles go from the least value to the greatest.
    quantiles = re.search(r"<caption>Quantiles</caption>.*?</table>", drawn, re.DOTALL)[0]
    cells = re.findall(r'<td class="n">([^<]*)</td>', quantiles)
    assert (cells[0], cells[-1]) == ("-30", "-10")
