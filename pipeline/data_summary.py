"""The screen at the end of a run without a model: what data there is, and where; and what any run
says of its data."""

import json

from rich.console import Console
from rich.table import Table

from kws.audio.quarantine import QUARANTINE_FILE
from kws.features import files
from kws.splits import SPLITS
from kws.terminal import headed
from pipeline import corpus, results


def print_data_summary(console: Console, run: results.Run) -> None:
    """Prints what each split has, and the folders of the examples."""
    ingested, transformed = run.step("AudioExampleGen"), run.step("SpectrogramTransform")
    synthesized = run.step("AudioSynthesizer")
    table = Table(title="Data")
    for name in ("", *SPLITS):
        table.add_column(name, justify="right" if name else "left")
    _row(table, "clips ingested", ingested, "examples", "clips")
    if "scenes" in synthesized.outputs:
        _row(table, "scenes", synthesized, "scenes", "scenes")
        _row(table, "words laid in scenes", synthesized, "scenes", "words")
        _row(table, "words without a place", synthesized, "scenes", "left_out")
    _row(table, "feature examples", transformed, "transformed_examples", "clips")
    console.print(table)
    params = files.read(transformed.folder("transformed_examples"))
    frames, channels = params.feature_shape
    console.print(
        headed(
            "Features",
            f": {params.frontend}, {frames:,} frames of {channels} from "
            f"{params.clip_duration_ms / 1000:g} s at {params.sample_rate:,} Hz",
        )
    )
    for step, key in (
        (ingested, "examples"),
        (synthesized, "scenes"),
        (synthesized, "streams"),
        (transformed, "transformed_examples"),
    ):
        if key in step.outputs:
            console.print(f"  {key:<22}{step.folder(key)}", highlight=False, soft_wrap=True)
    print_data_notes(console, run)
    if run.nothing_done:
        console.print("Nothing has changed since the last run: every step's result was reused.")
    console.print(
        headed(
            "Data and features only",
            ": the configuration names no model (model: null), so nothing was trained, judged or "
            "pushed.",
        )
    )


def print_data_notes(console: Console, run: results.Run) -> None:
    """Prints what one should know of the data: files in quarantine, notes, and what has shifted."""
    ingested = run.step("AudioExampleGen")
    quarantined = ingested.custom_property("examples", "quarantined")
    if quarantined:
        path = ingested.folder("examples") / QUARANTINE_FILE
        reasons = json.loads(str(ingested.custom_property("examples", "quarantine_reasons")))
        counts = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
        console.print(
            f"Quarantined: {quarantined} files ({counts}), see {path}",
            highlight=False,
            soft_wrap=True,
        )
    for sentence in corpus.note_sentences(run):
        console.print(sentence, style="yellow", highlight=False, soft_wrap=True)
    left_out = ingested.custom_property("examples", "keyword_in_transcript")
    if left_out:
        console.print(f"Left out, as a keyword is in their transcripts: {left_out} recordings")
    for sentence, above_limit in corpus.sentences(run):
        if above_limit:
            console.print(sentence, style="yellow", highlight=False)


def _row(table: Table, title: str, step: results.Step, key: str, name: str) -> None:
    counts = (step.custom_property(key, f"{name}_{split}") for split in SPLITS)
    table.add_row(title, *(f"{count or 0:,}" for count in counts))
