"""Gates: what passes, by how much, and that nothing blesses itself."""

import math

from kws.gates import Gate, read_gates, verdict, write_gates


def gate(value: float, limit: float = 1.0, at_most: bool = True) -> Gate:
    return Gate(name="streaming.rate", value=value, limit=limit, at_most=at_most, unit="/h")


def test_a_gate_says_by_how_much_it_failed():
    assert gate(3.5).sentence() == ("streaming.rate = 3.5 /h, at most 1 required: failed by 2.5 /h")
    assert gate(0.25).passed and gate(0.25).margin == 0.75


def test_a_floor_is_judged_the_other_way_round():
    assert gate(0.9, 0.8, at_most=False).passed
    assert not gate(0.7, 0.8, at_most=False).passed


def test_a_figure_that_could_not_be_measured_never_passes():
    assert not gate(math.nan).passed
    assert not gate(math.nan, at_most=False).passed


def test_no_gates_bless_nothing():
    assert verdict([]) == "refused"
    assert verdict([gate(0.5), gate(0.1)]) == "blessed"
    assert verdict([gate(0.5), gate(2.0)]) == "refused"


def test_gates_survive_the_file(tmp_path):
    gates = [gate(0.5), gate(0.9, 0.8, at_most=False)]
    write_gates(tmp_path / "blessing", gates)
    assert read_gates(tmp_path / "blessing") == gates
