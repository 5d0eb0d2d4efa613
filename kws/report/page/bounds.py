"""The 95 % bounds of a gate's figure, where the figure is one that chance moves."""

from kws.gates import Gate
from kws.report.page.facts import Facts
from kws.report.page.section import ABSENT, number
from kws.streaming.gates import CONDITION_GATE
from kws.streaming.rates import share


def bounds(gate: Gate, facts: Facts) -> str:
    """`2.1 to 5.6`, in the unit of the gate's value; a dash for bytes and the like.

    Shares are Clopper-Pearson intervals, rates an hour Poisson intervals, as everywhere.
    """
    kind, _, rest = gate.name.partition(".")
    name, _, label = rest.partition("/")
    name = name.removesuffix("_bound")
    if kind == "streaming" and name == CONDITION_GATE:
        for condition, figures in facts.streaming["test"]["per_condition"].items():
            rate = figures["miss_rate"]
            # The gate of all conditions has the figure of the hardest.
            if label == condition or (not label and gate.value in (rate["estimate"], rate["high"])):
                return _between(rate["low"], rate["high"])
    elif kind == "streaming":
        rate = facts.streaming["test"]["total"].get(name)
        if isinstance(rate, dict) and rate["exposure"]:
            return _between(rate["low"], rate["high"])
    if kind == "clips" and facts.matrix is not None:
        counted = _counted(name, label, facts)
        if counted is not None and counted[1]:
            found = share(*counted)
            return _between(found.low, found.high)
    return ABSENT


def _between(low: float, high: float) -> str:
    return f"{number(low, 3)} to {number(high, 3)}"


def _counted(name: str, label: str, facts: Facts) -> tuple[int, int] | None:
    """How many of how many the figure is a share of."""
    matrix = facts.matrix
    assert matrix is not None
    counts = matrix.counts
    if name == "accuracy":
        return int(counts.trace()), matrix.total
    if label not in matrix.labels:
        return None
    place = matrix.labels.index(label)
    right, are, said = (int(n) for n in (counts[place, place], counts[place].sum(),
                                         counts[:, place].sum()))  # fmt: skip
    return {
        "recall": (right, are),
        "precision": (right, said),
        "false_positive_rate": (said - right, matrix.total - are),
    }.get(name)
