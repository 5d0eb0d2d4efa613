"""The screen at the end of a run: figures, gates, and where the bundle is or why there is none.

A run without a model shows what data it has and where, and notes on it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evaluator.results import (
    accuracy_by_slice,
    before_and_after,
    confusion_matrix,
)
from kws.corpus.quarantine import QUARANTINE_FILE
from kws.features import files
from kws.gates import Gate
from kws.report.confusion import ConfusionMatrix
from kws.report.tables import (
    conditions_table,
    confusion_table,
    error_cells,
    gates_table,
    per_class_table,
    tuning_table,
)
from kws.runtime.targets import ERROR_FACTOR, in_ms
from kws.splits import SPLITS, TEST
from kws.terminal import headed, lines
from kws.training.tuning import TUNING_FILE, TuningReport
from pipeline.paths import Paths
from pipeline.runs import corpus_figures, results


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
    for sentence in corpus_figures.note_sentences(run):
        console.print(sentence, style="yellow", highlight=False, soft_wrap=True)
    left_out = ingested.custom_property("examples", "keyword_in_transcript")
    if left_out:
        console.print(f"Left out, as a keyword is in their transcripts: {left_out} recordings")
    for sentence, above_limit in corpus_figures.sentences(run):
        if above_limit:
            console.print(sentence, style="yellow", highlight=False)


def _row(table: Table, title: str, step: results.Step, key: str, name: str) -> None:
    counts = (step.custom_property(key, f"{name}_{split}") for split in SPLITS)
    table.add_row(title, *(f"{count or 0:,}" for count in counts))


_TRIALS = 8
"""Of a search that are shown."""


def print_summary(console: Console, run: results.Run, paths: Paths) -> None:
    """Prints one screen about a finished run."""
    converted = run.step("MicroConverter").folder("model") / "Format-Serving"
    _print_search(console, run)
    gates = results.gates(run)
    if run.has_scenes:
        scenes = run.step("SceneEvaluator").folder("evaluation")
        console.print(_gates(gates))
        console.print(_scene_sentences(scenes), highlight=False)
    else:
        labels = (converted / "labels.txt").read_text().splitlines()
        counts = confusion_matrix(run.step("Evaluator").folder("evaluation"), len(labels))
        matrix = ConfusionMatrix(labels=labels, counts=counts)
        console.print(per_class_table(matrix), confusion_table(matrix), _gates(gates))
        console.print(_slices(run.step("Evaluator").folder("evaluation")), highlight=False)
    if run.own_clips is not None:
        console.print(_before_and_after(run, run.own_clips))
    streamed = run.step("StreamingEvaluator").folder("evaluation") / "evaluation.json"
    everything = json.loads(streamed.read_text())
    conditions = conditions_table(everything["test"])
    if conditions is not None:
        console.print(conditions)
    console.print(_stream_sentence(everything), highlight=False)
    console.print(_device_sentence(run.step("MicroValidator").folder("blessing"), converted))
    print_data_notes(console, run)
    cached = [step.name for step in run.steps if step.state == "cached"]
    if run.nothing_done:
        console.print("Nothing has changed since the last run: every step's result was reused.")
    elif cached:
        console.print(f"Reused from earlier runs: {', '.join(cached)}", highlight=False)
    pushed = run.pushed_to
    if pushed is not None:
        console.print(headed("PUSHED", f" {pushed}", "bold green"), soft_wrap=True)
        return
    console.print(headed("NOT pushed", ": the last bundle, if any, stays as it is.", "bold red"))
    for gate in gates:
        if not gate.passed:
            console.print(f"  {gate.sentence()}", highlight=False)


def _print_search(console: Console, run: results.Run) -> None:
    """The Tuner's best trials, where there is a Tuner."""
    for step in run.steps:
        if step.name == "Tuner":
            file = step.folder("tuner_results") / TUNING_FILE
            report = TuningReport.from_json(file.read_text())
            console.print(tuning_table(report, _TRIALS, details=False))


def _gates(gates: Sequence[Gate]) -> Table:
    """The gates that failed and those on the whole; of the many per-class ones that passed, the
    number in the title."""
    shown = [gate for gate in gates if not gate.passed or "/" not in gate.name]
    table = gates_table(shown, details=False)
    table.title = f"Gates: {sum(gate.passed for gate in gates)} of {len(gates)} passed"
    return table


def _scene_sentences(evaluation: Path) -> Text:
    """Precision, recall and F1 of the steps, hits and false accepts of the chimes; test scenes."""
    written = (evaluation / "report.txt").read_text().splitlines()
    parts = (line.split(":", 1) for line in written)
    return lines(headed(f"Scenes, {what}", f":{figures}") for what, figures in parts)


def _slices(evaluation: Path) -> Text:
    """Accuracy of the slices that a person asks for first: clean and noisy, new words, SNR."""
    slices = accuracy_by_slice(evaluation)
    rows = []
    for key in ("augmentation", "novelty", "snr_bucket"):
        parts = (f"{name} {share:.1%} of {n}" for name, (share, n) in sorted(slices[key].items()))
        rows.append(headed(f"Accuracy by {key}", f": {', '.join(parts)}"))
    return lines(rows)


def _before_and_after(run: results.Run, own_clips: Path) -> Table:
    """A model fitted to one person beside the one that it was fitted from."""
    table = Table(title="The int8 model before and after")
    table.add_column("", overflow="fold")
    for name in ("before", "after", "of"):
        table.add_column(name, justify="right", no_wrap=True)
    clips = before_and_after(run.step("Evaluator").folder("evaluation"), own_clips)
    for name, what, of in (
        ("held_out", "your clips, kept back: recognised", "clips"),
        ("in_noise", "the same in noise", "copies"),
        ("original", "original test split: right", "clips"),
    ):
        if name in clips:
            pair = [clips[name][when]["right"] for when in ("before", "after")]
            shares = [f"{share['estimate']:.1%}" for share in pair]
            table.add_row(what, *shares, f"{pair[0]['exposure']:.0f} {of}")
    rates = [clips["original"][when]["false_positives"] for when in ("before", "after")]
    table.add_row(
        "original test split: taken for a keyword", *(f"{rate:.1%}" for rate in rates), "others"
    )
    streamed = run.step("StreamingEvaluator")
    folders = [Path(streamed.inputs["last_evaluation"][0].uri), streamed.folder("evaluation")]
    was, now = (json.loads((folder / "evaluation.json").read_text())[TEST] for folder in folders)
    missed, accepts = (
        [one["total"][key]["estimate"] for one in (was, now)]
        for key in ("miss_rate", "false_accepts_per_hour")
    )
    hours = sum(now["hours"].values())
    table.add_row(
        "test streams: missed",
        *(f"{rate or 0:.1%}" for rate in missed),
        f"{now['total']['words']} words",
    )
    table.add_row(
        "test streams: false accepts", *(f"{rate:.1f} /h" for rate in accepts), f"{hours:.2f} h"
    )
    thresholds = [one["detector"]["detection_threshold"] for one in (was, now)]
    table.add_row("threshold", *(f"{threshold:.3f}" for threshold in thresholds), "")
    return table


def _stream_sentence(everything: dict[str, Any]) -> Text:
    """False accepts per hour and misses of the test streams, with bounds, exposure and caveats."""
    report = everything["test"]
    total, hours = report["total"], report["hours"]
    rate, miss = total["false_accepts_per_hour"], total["miss_rate"]
    negatives = total["false_accepts_per_hour_by_kind"]["negatives"]
    said: list[str | Text] = [
        headed(
            "Streams",
            f": threshold {report['detector']['detection_threshold']:.3f}; "
            f"{rate['estimate']:.2f} false accepts/h "
            f"(95 %: {rate['low']:.2f} to {rate['high']:.2f}; {rate['count']} in "
            f"{hours['words']:.2f} h with words, {hours['negatives']:.2f} h without)",
        ),
        f"         {miss['estimate']:.1%} missed (95 %: {miss['low']:.1%} to {miss['high']:.1%}; "
        f"{miss['count']} of {total['words']} words), {total['wrong_words']} taken for another",
    ]
    if total["hits"]:
        said.append(
            f"         detected {total['latency_ms_median']:.0f} ms after the word's end (median; "
            f"95 % within {total['latency_ms_p95']:.0f} ms)"
        )
    if negatives["exposure"]:
        said.append(
            f"         in the negatives alone {negatives['estimate']:.2f} false accepts/h (95 %: "
            f"{negatives['low']:.2f} to {negatives['high']:.2f}; {negatives['count']} in "
            f"{negatives['exposure']:.2f} h)"
        )
    sources = [
        f"{source} {found['count']} in {found['exposure']:.2f} h"
        for source, found in report["false_accepts_by_source"].items()
        if found["count"]
    ]
    if sources:
        said.append(f"         false accepts while it heard {', '.join(sources)}")
    said += [Text(f"         {caveat}", style="yellow") for caveat in report.get("caveats", ())]
    return lines([*said, *_more_of_streams(everything)])


def _more_of_streams(everything: dict[str, Any]) -> list[str | Text]:
    """What the cascade costs, and the last blessed model beside this one; where there are such."""
    said: list[str | Text] = []
    named = everything.get("sensitivities", {"points": {}})
    for name, one in named["points"].items():
        rate, missed = error_cells(one["measured"].get(TEST))
        mark = " (default)" if name == named["default"] else ""
        said.append(
            headed(
                f"Sensitivity {name}{mark}",
                f": threshold {one['detection_threshold']:.3f}, {rate} false accepts/h, "
                f"{missed} missed",
            )
        )
    if "cascade" in everything:
        cascade = everything["cascade"]
        first, alone = cascade["first_stage"], cascade["second_stage_alone_on_test"]
        behind = f" behind {first['name']} {first['version']}: {cascade['summary']}"
        said.append(headed("Cascade", behind))
        said.append(
            f"         the second stage alone, at the same threshold: {alone['misses']} of "
            f"{alone['words']} words missed, {alone['false_accepts']} false accepts"
        )
    if "against_last" in everything:
        last = everything["against_last"]
        if "not_compared" in last:
            said.append(headed("Last blessed model", f": not compared: {last['not_compared']}"))
        else:
            made = "; ".join(
                f"{what}: {last[key]['candidate']} of this model alone, {last[key]['last']} of "
                f"the last alone, {last[key]['both']} of both"
                for what, key in (("misses", "misses"), ("false accepts", "false_accepts"))
            )
            said.append(headed("Against the last blessed model", f": {made}"))
    return said


def _device_sentence(blessing: Path, converted: Path) -> Text:
    """Bytes of the file, measured arena, operators, work, and what it would take on devices."""
    device = json.loads((blessing / "micro.json").read_text())
    size = (converted / "model.tflite").stat().st_size
    costs = (
        f"{name} {in_ms(cost['latency_ms'])} ({cost['duty_cycle']:.0%} of its time)"
        for name, cost in device["targets"].items()
    )
    slow = [name for name, cost in device["targets"].items() if cost["duty_cycle"] > 1]
    advice = (
        f"\n        too slow for {', '.join(slow)}: raise streaming.detector.clip_stride_ms, or "
        "take a model with fewer multiply-adds (kws models)"
        if slow
        else ""
    )
    return headed(
        "Device",
        f": {size:,} bytes of flash, arena {device['arena_bytes']:,} "
        f"bytes measured, operators {', '.join(sorted(device['operators']))}\n"
        f"        {device['macs']:,} multiply-adds every {device['every_ms']:g} ms, "
        f"{device['macs_per_second'] / 1e6:.2f} million a second; an inference, estimated within "
        f"{ERROR_FACTOR:g} times: {', '.join(costs)}{advice}",
    )
