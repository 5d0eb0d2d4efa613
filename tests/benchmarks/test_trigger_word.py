"""The benchmark of the trigger word, on a finished run."""

import re

from tests.benchmarks.conftest import benchmark
from tests.conftest import TINY_SCENES


def test_trigger_word_takes_up_an_earlier_run_and_sets_float_beside_int8(scenes_run):
    ran = benchmark(
        "trigger_word", "--preset", TINY_SCENES, "--data", scenes_run.data, "--out", scenes_run.out
    )
    assert ran.status == 0, ran.message
    assert re.search(r"^trained \d+\.\d min, \d+ updates$", ran.text, re.M)
    as_floats, int8 = ran.text.split("\nfloat\n")[1].split("\nint8\n")
    on_screen = re.search(r"Scenes, chimes: (\d+) of (\d+) words hit", scenes_run.screen)
    hits = [
        re.search(r"chimes: (\d+) of (\d+) words hit", part).groups() for part in (as_floats, int8)
    ]
    assert hits[1] == on_screen.groups() and hits[0][1] == hits[1][1]
