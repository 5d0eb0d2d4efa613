"""What it takes on a device: bytes, arena, multiply-adds, and time on each target."""

from kws.micro.targets import ERROR_FACTOR
from kws.report.page.facts import Facts
from kws.report.page.html import join, note, table, tag
from kws.report.page.section import Section, percent


def section(facts: Facts) -> Section:
    device, conversion = facts.device, facts.conversion
    rows = [
        ["int8 file", f"{conversion['model_bytes']:,} bytes of flash"],
        [
            "arena",
            f"{device['arena_bytes']:,} bytes measured, {device['arena_recommended_bytes']:,} "
            f"with a margin of {percent(device['arena_margin'], 0)}",
        ],
        [
            "work",
            f"{device['macs']:,} multiply-adds every {device['every_ms']:g} ms: "
            f"{device['macs_per_second'] / 1e6:.2f} million a second",
        ],
        ["operators", ", ".join(f"{name} × {n}" for name, n in device["operators"].items())],
        [
            "against the device's interpreter",
            f"{device['test_vectors']} test vectors, off by at most "
            f"{device['tflm_mismatch_steps']} steps",
        ],
        ["lost in int8", _lost(conversion)],
    ]
    targets = [
        [
            tag("span", name, class_="mono"),
            f"{cost['latency_ms']:.3g} ms",
            f"{cost['latency_high_ms']:.3g} ms",
            tag(
                "td",
                tag("span", class_="bar", style=f"width:{min(100, 100 * cost['duty_cycle']):.1f}%"),
                class_="barcell",
                aria_hidden="true",
            ),
            percent(cost["duty_cycle"]),
        ]
        for name, cost in device["targets"].items()
    ]
    header = ["target", "an inference", "at worst", "", "of the time"]
    body = join(
        [
            table("The model on a device", ["", ""], rows, numbers=9),
            table("Estimated time on targets", header, targets),
            note(
                f"Estimates from published figures, within {ERROR_FACTOR:g} times. Bytes and arena "
                "are measured, in TensorFlow Lite Micro's own interpreter."
            ),
        ]
    )
    return Section(key="device", title="Device", body=body)


def _lost(conversion: dict) -> str:
    what = "accuracy" if conversion.get("float_accuracy") is not None else "f1"
    was, now = conversion.get(f"float_{what}"), conversion.get(f"int8_{what}")
    if was is None or now is None:
        return "not measured"
    return (
        f"{what} {percent(was)} in float, {percent(now)} in int8, on "
        f"{conversion['eval_examples']:,} eval examples"
    )
