"""`model_card.md`: what a person must know before shipping the model."""

import dataclasses

from kws.micro import model_card
from kws.micro.contents import BundleContents

DATA = {
    "clips": {"train": {"yes": 3000, "no": 600}, "test": {"yes": 36, "no": 0}},
    "seconds": {"train": 3600.0, "test": 36.0},
    "speakers": {"train": 120, "test": 9},
    "sources": {"speech_commands": {"train": 3600, "test": 36}},
}


def test_the_data_are_counted_in_clips_hours_and_speakers(contents: BundleContents) -> None:
    card = model_card.render(dataclasses.replace(contents, figures={"data": DATA}))
    assert "| train | 3,600 | 1.00 | 120 |" in card
    assert "| test | 36 | 0.01 | 9 |" in card
    assert "speech_commands 3,636" in card
    assert "Licence of the data: none needed." in card


def test_data_that_nobody_counted_has_no_table(contents: BundleContents) -> None:
    card = model_card.render(contents)
    assert "| hours |" not in card and "random numbers" in card


def test_devices_are_estimates_and_say_so(contents: BundleContents) -> None:
    card = model_card.render(contents)
    assert "**estimated**" in card and "2 times off either way" in card
    cost = contents.micro.targets["cortex-m4f"]
    assert f"| CMSIS-NN | {cost.latency_ms:.3g} ms | {cost.duty_cycle:.1%} |" in card
    assert f"{contents.micro.macs:,} multiply-accumulates every 40 ms" in card
