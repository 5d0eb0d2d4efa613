"""What a person sees of a run while it goes."""

import io
import logging

import pytest
from rich.console import Console

from pipeline.runners.terminal_progress import StepFollower


@pytest.fixture
def logged():
    """Logs lines as (logger, message), and returns what is on the screen afterwards."""

    def run(*lines):
        screen = io.StringIO()
        follower = StepFollower(Console(file=screen, width=100))
        for name, message in lines:
            follower.emit(logging.LogRecord(name, logging.INFO, "", 0, message, (), None))
        return screen.getvalue()

    return run


def test_a_component_that_has_finished_has_a_line_with_its_time(logged):
    screen = logged(
        ("tfx", "Component Trainer is running."), ("tfx", "Component Trainer is finished.")
    )
    assert screen.split()[0] == "Trainer" and screen.endswith(" s\n")


def test_what_trains_stays_on_the_screen_and_other_lines_do_not(logged):
    screen = logged(
        ("tfx", "Component Trainer is running."),
        ("kws.training.fit.device", "Training on GPU Tesla T4"),
        ("kws.training.callbacks", "Epoch 1 of 12"),
    )
    assert "Training on GPU Tesla T4" in screen and "Epoch" not in screen
