"""`model_card.md`: what the spotter is, what it was judged on, and what it is not for."""

import re
from typing import Any

from kws.bundle.contents import BundleContents
from kws.export import microwakeword
from kws.gates import figure
from kws.labels import SILENCE, UNKNOWN
from kws.runtime.targets import ERROR_FACTOR, target
from kws.splits import EVAL, TEST
from kws.terminal import printable


def render(contents: BundleContents) -> str:
    """The card as Markdown; figures that a component did not report are left out."""
    info, micro = contents.info, contents.micro
    feature = contents.feature_params
    parts = [
        f"# {contents.name}, version {contents.version}",
        f"Created {contents.created}. {_says(contents)}",
        "## Model",
        _table(
            [
                ("architecture", _plain(info.get("model", "not stated"))),
                ("kind", contents.kind),
                ("input", f"{feature.clip_duration_ms} ms at {feature.sample_rate} Hz, "
                 f"{feature.frontend} frontend, {list(feature.feature_shape)} frames and channels"
                 f"{_STEPWISE if contents.kind == 'streaming' else ''}"),
                ("flash", f"{micro.flash_bytes} bytes"),
                ("arena", f"{micro.arena_bytes} bytes measured, "
                 f"{micro.arena_recommended_bytes} recommended"),
                ("operators", _plain(", ".join(micro.operators))),
                ("work", f"{micro.macs:,} multiply-accumulates every {micro.every_ms:g} ms: "
                 f"{micro.macs_per_second / 1e6:.2f} million a second"),
                ("detector", ", ".join(f"{k} {v}" for k, v in contents.detector)),
            ]
        ),
        "What it would take on devices, **estimated** from published figures of another network "
        f"(kws/runtime/targets.py) and perhaps {ERROR_FACTOR:g} times off either way; without the "
        "frontend:",
        _targets(contents),
        "## Data",
        f"Trained and judged on {_plain(info.get('data', 'data that nobody described'))}; "
        "training, evaluation and test are disjoint in speakers.",
        *_quantities(contents.figures.get("data") or {}),
        "Licence of the data: "
        f"{_plain(info.get('licence') or 'not stated: ask before you distribute')}.",
        *_credits(info.get("credits") or []),
        *_sensitivities(contents),
        "## Gates",
        _gates(contents),
        "## Figures",
        *_figures(contents.figures),
        "## Intended use",
        "Spotting the keywords above in sound from one microphone, on a microcontroller with "
        "TensorFlow Lite Micro, the frontend of `frontend.json` and the detector of "
        "`manifest.json`. `test_vectors/` show whether a port computes the same numbers.",
        "## Limits",
        "The rates hold for voices, rooms and noises like those of the test split; other accents, "
        "distances and microphones were not judged unless the data above says so. Do not use it "
        "where a missed or a wrongly heard word can hurt somebody.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


_MARKS = re.compile(r"[\\`*\[\]<>|&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""What means something to Markdown; an underscore inside of a word does not."""


def _plain(text: object) -> str:
    """What others have written, in one line and without meaning to Markdown or HTML."""
    marked = _MARKS.sub(lambda mark: f"\\{mark[0]}", printable(text))
    return re.sub(r"^([#+-]|\d+[.)])", r"\\\1", marked)


def _code(word: str) -> str:
    """A word as code, between more backticks than it has."""
    shown = printable(word)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    room = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{room}{shown}{room}{fence}"


_STEPWISE = ", a step of a few frames at a time: it remembers what it must of the former ones"


def _says(contents: BundleContents) -> str:
    says = f"Says one of: {', '.join(_code(word) for word in contents.keywords)}"
    if SILENCE in contents.labels:
        says += f"; `{SILENCE}` for silence, `{UNKNOWN}` for any other sound or word"
    return f"{says}."


def _table(rows: list[tuple[str, Any]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)])


def _targets(contents: BundleContents) -> str:
    rows = ["| device | kernels | an inference | of the processor |", "|---|---|---|---|"]
    for name, cost in contents.micro.targets.items():
        device = target(name)
        rows.append(
            f"| {device.chip} | {device.kernels} | {cost.latency_ms:.3g} ms "
            f"| {cost.duty_cycle:.1%} |"
        )
    return "\n".join(rows)


def _quantities(data: dict[str, Any]) -> list[str]:
    """Clips, hours and speakers of each split, and the sources they are from."""
    if not data:
        return []
    rows = ["| split | clips | hours | speakers |", "|---|---|---|---|"]
    for split, labels in data["clips"].items():
        speakers = (data.get("speakers") or {}).get(split, "-")
        hours = data["seconds"][split] / 3600
        rows.append(f"| {split} | {sum(labels.values()):,} | {hours:.2f} | {speakers} |")
    parts = ["\n".join(rows)]
    sources = [
        f"{_plain(name)} {sum(counts.values()):,}" for name, counts in data["sources"].items()
    ]
    if sources:
        parts.append(
            f"Clips by source: {', '.join(sources)}. These are the recordings before any copy was "
            "made of them; voices count as speakers."
        )
    return parts


def _credits(credits: list[str]) -> list[str]:
    """Licence and attribution of the recordings that others have given."""
    if not credits:
        return []
    return [
        "\n".join(["Recordings of others:", "", *(f"- {_plain(credit)}." for credit in credits)])
    ]


def _sensitivities(contents: BundleContents) -> list[str]:
    """Each with its threshold, with ESPHome's cutoff where there is such a file, and its errors."""
    named = contents.sensitivities
    if named is None:
        return []
    esphome = contents.microwakeword is not None
    head = ["sensitivity", "false accepts/h wanted", "threshold"]
    head += ["ESPHome `probability_cutoff`"] if esphome else []
    head += [
        f"{what}, {split} streams"
        for split in (EVAL, TEST)
        for what in ("false accepts/h", "missed")
    ]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for one in named.points:
        cells = [one.name + (" (default)" if one.name == named.default else "")]
        cells += [f"{one.target_false_accepts_per_hour:g}", f"{one.detection_threshold:.4g}"]
        if esphome:
            cells.append(f"{microwakeword.probability_cutoff(one.detection_threshold):.5f}")
        for split in (EVAL, TEST):
            errors = one.measured.get(split)
            cells += (
                ["-", "-"] if errors is None
                else [str(errors.false_accepts_per_hour), str(errors.miss_rate)]
            )  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    how = (
        "`kws detect --sensitivity NAME` and the macro `KWS_SENSITIVITY` of `detector.h` choose one"
    )
    if esphome:
        how += ", as does the `probability_cutoff` of the model in ESPHome's YAML"
    grounds = [f"- {one.name}: {one.grounds}." for one in named.points]
    return [
        "## Sensitivities",
        f"Chosen on the eval streams; {how}.",
        "\n".join(rows),
        "\n".join(["On what grounds:", "", *grounds]),
    ]


def _gates(contents: BundleContents) -> str:
    if not contents.gates:
        return "None was configured."
    rows = ["| gate | measured | required | rests on |", "|---|---|---|---|"]
    for gate in contents.gates:
        bound = "at most" if gate.at_most else "at least"
        rows.append(
            f"| {_plain(gate.name)} | {figure(gate.value)} {gate.unit} "
            f"| {bound} {figure(gate.limit)} | {_plain(gate.detail)} |"
        )
    return "\n".join(rows)


def _figures(figures: dict[str, Any]) -> list[str]:
    parts = []
    conversion = figures.get("conversion") or {}
    if "float_accuracy" in conversion:
        what = "clips" if conversion.get("float_f1") is None else "steps of scenes"
        parts.append(
            f"Eval split, {conversion['eval_examples']} {what}: "
            f"float {conversion['float_accuracy']:.2%}, int8 {conversion['int8_accuracy']:.2%}."
        )
    test = (figures.get("streaming") or {}).get("test") or {}
    total = test.get("total") or {}
    rows = [_rate(name, rate) for name, rate in total.items() if _is_rate(rate)]
    if rows:
        head = ["Streams of the test split:", "", "| rate | estimate | 95 % bounds | rests on |"]
        parts.append("\n".join([*head, "|---|---|---|---|", *rows]))
    conditions = test.get("per_condition") or {}
    if conditions:
        rows = [_condition(name, found) for name, found in conditions.items()]
        head = ["The same words in each condition:", "",
                "| condition | words | missed | 95 % bounds | false accepts | hours |"]  # fmt: skip
        parts.append("\n".join([*head, "|---|---|---|---|---|---|", *rows]))
    parts += [f"False accepts: {_plain(caveat)}." for caveat in test.get("caveats") or ()]
    scenes = figures.get("scenes")
    if scenes:
        said = [f"- {_plain(line)}" for line in scenes["summary"]]
        parts.append("\n".join(["Scenes of the test split:", "", *said]))
    by_label = (figures.get("clips") or {}).get("per_class") or {}
    if by_label:
        rows = ["| label | precision | recall | false-positive rate |", "|---|---|---|---|"]
        for label, row in by_label.items():
            cells = (_share(row.get(k)) for k in ("precision", "recall", "false_positive_rate"))
            rows.append(f"| {_plain(label)} | {' | '.join(cells)} |")
        parts.append("Clips of the test split:\n\n" + "\n".join(rows))
    parts.append("Everything that was measured is in `evaluation.json`.")
    return parts


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _is_rate(value: Any) -> bool:
    fields = {"count", "exposure", "estimate", "low", "high"}
    return isinstance(value, dict) and fields <= set(value)


def _rate(name: str, rate: dict[str, Any]) -> str:
    unit = "h" if name.endswith("per_hour") else "words"
    return (
        f"| {_plain(name)} | {_number(rate['estimate'])} | {_number(rate['low'])} to "
        f"{_number(rate['high'])} | {rate['count']} in {_number(rate['exposure'])} {unit} |"
    )


def _condition(name: str, figures: dict[str, Any]) -> str:
    miss, hourly = figures["miss_rate"], figures["false_accepts_per_hour"]
    return (
        f"| {_plain(name)} | {figures['words']} | {_share(miss['estimate'])} "
        f"| {_share(miss['low'])} to {_share(miss['high'])} | {hourly['count']} "
        f"| {hourly['exposure']:.2f} |"
    )


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) else "-"
