"""What much audio would take and cost: arithmetic on measured costs a clip and given prices.

    python -m benchmarks.scale_cost --hours 1000000 --ingestion-ms 2 --copy-ms 3 --features-ms 1

    clips      = hours x 3600 s / clip length
    vCPU hours = clips x sum of (seconds of processor time a clip) / 3600 / efficiency
    cost       = vCPU hours x (vCPU price + GB a vCPU x GB price)
                 + GB shuffled x shuffle price + GB stored x months x storage price

The costs a clip are what `benchmarks.scale` prints; a vCPU is taken for one of the cores that it
ran on. The prices are examples of what a cloud asks for batch jobs: put in your own.
"""

from collections.abc import Sequence

from benchmarks import harness

PARAMETERS = (
    ("hours", 1e6, "of audio"),
    ("clip_s", 1.0, "seconds of a clip"),
    ("ingestion_ms", 0.0, "processor time a clip of ingestion, as measured"),
    ("statistics_ms", 0.0, "of statistics"),
    ("copy_ms", 0.0, "of a noisy copy"),
    ("features_ms", 0.0, "of features, of a clip or a copy"),
    ("copies", 1.0, "noisy copies of a clip"),
    ("efficiency", 0.8, "speed of n workers / (n x speed of one)"),
    ("vcpus", 1000.0, "at the same time"),
    ("vcpu_hour", 0.056, "$ a vCPU hour"),
    ("gb_vcpu", 4.0, "GB of memory a vCPU"),
    ("gb_hour", 0.003557, "$ a GB hour of memory"),
    ("shuffled_kb", 0.0, "KB shuffled a clip"),
    ("shuffled_gb", 0.011, "$ a GB shuffled"),
    ("stored_kb", 0.0, "KB stored a clip: audio examples, copies, features"),
    ("stored_gb_month", 0.02, "$ a GB month"),
    ("months", 1.0, "that they are kept"),
)


def cost(**given: float) -> dict[str, float]:
    """Prints the calculation and gives its figures, in the units of their names."""
    clips = given["hours"] * 3600 / given["clip_s"]
    per_clip_ms = (
        given["ingestion_ms"]
        + given["statistics_ms"]
        + given["copies"] * given["copy_ms"]
        + (1 + given["copies"]) * given["features_ms"]
    )
    vcpu_hours = clips * per_clip_ms / 1000 / 3600 / given["efficiency"]
    compute = vcpu_hours * (given["vcpu_hour"] + given["gb_vcpu"] * given["gb_hour"])
    shuffle = clips * given["shuffled_kb"] / 1e6 * given["shuffled_gb"]
    storage = clips * given["stored_kb"] / 1e6 * given["stored_gb_month"] * given["months"]
    wall_hours = vcpu_hours / given["vcpus"]
    print(f"clips = {given['hours']:,.0f} h x 3600 / {given['clip_s']:g} s = {clips:,.0f}")
    print(
        f"ms a clip = {given['ingestion_ms']:g} + {given['statistics_ms']:g} + "
        f"{given['copies']:g} x {given['copy_ms']:g} + "
        f"(1 + {given['copies']:g}) x {given['features_ms']:g} = {per_clip_ms:.2f}"
    )
    print(
        f"vCPU hours = {clips:,.0f} x {per_clip_ms:.2f} ms / 3.6e6 / {given['efficiency']:g} = "
        f"{vcpu_hours:,.0f}; on {given['vcpus']:,.0f} vCPUs {wall_hours:,.1f} h"
    )
    print(
        f"compute = {vcpu_hours:,.0f} x ({given['vcpu_hour']:g} + {given['gb_vcpu']:g} x "
        f"{given['gb_hour']:g}) = ${compute:,.0f}"
    )
    print(f"shuffle = ${shuffle:,.0f}, storage = ${storage:,.0f}")
    print(f"together ${compute + shuffle + storage:,.0f}")
    return {
        "clips": clips,
        "vcpu_hours": vcpu_hours,
        "wall_hours": wall_hours,
        "compute": compute,
        "shuffle": shuffle,
        "storage": storage,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Calculates and prints."""
    parser = harness.Parser("scale_cost", __doc__)
    for name, default, help_text in PARAMETERS:
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=float, default=default, help=help_text)
    cost(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    harness.start(main)
