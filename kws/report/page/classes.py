"""Each label on the test clips, and each keyword on the test streams."""

from kws.report.confusion import ConfusionMatrix
from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, note, table, tag
from kws.report.page.section import ABSENT, Section, interval, percent
from kws.streaming.rates import share


def section(facts: Facts) -> Section:
    parts = [] if facts.matrix is None else [tag("h3", "On clips"), _clips(facts.matrix)]
    if facts.scene_sentences:
        lines = (tag("li", sentence) for sentence in facts.scene_sentences)
        parts += [tag("h3", "On scenes"), tag("ul", *lines)]
    parts += [tag("h3", "On streams"), _streams(facts)]
    if facts.streaming["test"]["per_condition"]:
        parts += [tag("h3", "By condition"), _conditions(facts.streaming["test"]["per_condition"])]
    return Section(key="classes", title="Each class", body=join(parts))


def _clips(matrix: ConfusionMatrix) -> Html:
    rows = []
    for figures in matrix.per_class():
        found = (
            share(round(figures.recall * figures.count), figures.count) if figures.count else None
        )
        recall = ABSENT
        if found is not None:
            recall = f"{percent(found.estimate)} ({percent(found.low)} to {percent(found.high)})"
        rows.append(
            [
                tag("span", figures.label, class_="mono"),
                f"{figures.count:,}",
                percent(figures.precision),
                recall,
                percent(figures.false_positive_rate, 2),
            ]
        )
    header = ["label", "clips", "precision", "recall (95 %)", "false positives"]
    return table("Each label on the test clips", header, rows)


def _conditions(per_condition: dict) -> Html:
    rows = [
        [
            tag("span", name, class_="mono"),
            figures["words"],
            figures["misses"],
            interval(figures["miss_rate"], True),
            figures["false_accepts"],
            interval(figures["false_accepts_per_hour"], False),
            f"{figures['false_accepts_per_hour']['exposure']:.2f}",
        ]
        for name, figures in per_condition.items()
    ]
    header = ["condition", "words", "misses", "miss rate (95 %)", "false accepts",
              "an hour (95 %)", "hours"]  # fmt: skip
    return join(
        [
            table("Each condition on the test streams", header, rows),
            note("The same words at the same times in every condition: only the sound differs."),
        ]
    )


def _streams(facts: Facts) -> Html:
    test = facts.streaming["test"]
    rows = []
    for label, figures in [*test["per_keyword"].items(), ("all keywords", test["total"])]:
        latency = figures.get("latency_ms_median")
        rows.append(
            [
                tag("span", label, class_="mono"),
                figures["words"],
                figures["hits"],
                figures["misses"],
                interval(figures["miss_rate"], True),
                figures["false_accepts"],
                interval(figures["false_accepts_per_hour"], False),
                ABSENT if latency is None else f"{latency:.0f} ms",
            ]
        )
    hours = test["hours"]
    return join(
        [
            table(
                "Each keyword on the test streams",
                ["keyword", "words", "hits", "misses", "miss rate (95 %)", "false accepts",
                 "an hour (95 %)", "latency"],
                rows,
            ),
            note(
                f"Over {hours['words']:.2f} h of streams with words and {hours['negatives']:.2f} h "
                "without. Nobody says keywords as often as these streams: compare false accepts "
                "with other spotters by the hours without."
            ),
        ]
    )  # fmt: skip
