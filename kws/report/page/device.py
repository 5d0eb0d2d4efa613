"""What it takes on a device: bytes, arena, multiply-adds, and time on each target."""

from kws.micro.targets import ERROR_FACTOR, in_ms
from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, note, table, tag
from kws.report.page.section import Section, percent


def section(facts: Facts) -> Section:
    device, conversion = facts.device, facts.conversion
    figures = {
        "int8 file": f"{conversion['model_bytes']:,} bytes of flash",
        "arena": f"{device['arena_bytes']:,} bytes measured",
        "arena to set aside": (
            f"{device['arena_recommended_bytes']:,} bytes, with a margin of "
            f"{percent(device['arena_margin'], 0)}"
        ),
        "work": (
            f"{device['macs']:,} multiply-adds every {device['every_ms']:g} ms: "
            f"{device['macs_per_second'] / 1e6:.2f} million a second"
        ),
        "operators": ", ".join(f"{name} × {n}" for name, n in device["operators"].items()),
        "against the device's interpreter": (
            f"{device['test_vectors']} test vectors, off by at most "
            f"{device['tflm_mismatch_steps']} steps"
        ),
        "lost in int8": _lost(conversion),
    }
    rows = [[what, figure] for what, figure in figures.items()]
    body = join(
        [
            table("The model on a device", ["", ""], rows, numbers=9),
            _targets(device["targets"]),
            note(
                f"Estimates from published figures, within {ERROR_FACTOR:g} times. Bytes and arena "
                "are measured, in TensorFlow Lite Micro's own interpreter."
            ),
        ]
    )
    return Section(key="device", title="Device", body=body)


def _targets(targets: dict) -> Html:
    rows = [
        [
            tag("span", name, class_="mono"),
            in_ms(cost["latency_ms"]),
            in_ms(cost["latency_high_ms"]),
            tag(
                "td",
                tag("span", class_="bar", style=f"width:{min(100, 100 * cost['duty_cycle']):.1f}%"),
                class_="barcell",
                aria_hidden="true",
            ),
            percent(cost["duty_cycle"], 0),
        ]
        for name, cost in targets.items()
    ]
    header = ["target", "an inference", "at worst", "", "of the time"]
    return table("Estimated time on targets", header, rows)


def _lost(conversion: dict) -> str:
    what = "accuracy" if conversion.get("float_accuracy") is not None else "f1"
    was, now = conversion.get(f"float_{what}"), conversion.get(f"int8_{what}")
    if was is None or now is None:
        return "not measured"
    return (
        f"{what} {percent(was)} in float, {percent(now)} in int8, on "
        f"{conversion['eval_examples']:,} eval examples"
    )
