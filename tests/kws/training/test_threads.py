"""What TensorFlow is told about threads."""

import os

from kws.training import threads


def test_each_core_runs_an_operation_of_its_own():
    environment: dict[str, str] = {}
    threads.an_operation_on_each_core(environment)
    assert environment == {
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": str(os.cpu_count()),
    }


def test_what_the_user_has_set_stays():
    environment = {"TF_NUM_INTRAOP_THREADS": "4"}
    threads.an_operation_on_each_core(environment)
    assert environment == {"TF_NUM_INTRAOP_THREADS": "4"}
