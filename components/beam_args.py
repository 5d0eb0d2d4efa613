"""What a run gives Beam beside what the user asks for, and a check of what is asked for.

Unless it is told how workers get their packages, TFX copies and packs itself for them in every
component that is given any Beam argument: 49 MB in a temporary folder that nobody removes, and
seconds each time. Workers on this machine have what this process has. Workers elsewhere need more
than TFX's own package: ours.
"""

import difflib
from collections.abc import Sequence

from apache_beam.options.pipeline_options import (
    PipelineOptions,
    PortableOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)

from kws.errors import KwsError

PACKAGES_ARE_THERE = "--sdk_container_image=none"
"""Tells TFX that workers have their packages. Beam reads the image's name only where it starts
containers, which is never where this is given."""
_NO_IMAGE = "none"
_WORKERS_HAVE_PACKAGES = ("EXTERNAL", "PROCESS", "LOOPBACK")
"""Beam's `--environment_type`s that start no container."""
_RUNNERS_CHECKED = ("direct", "dataflow", "flink", "spark", "prism", "portable")
"""Runners whose options Beam knows; another's may have options of its own."""


def complete(flags: Sequence[str]) -> list[str]:
    """The arguments for TFX: those of the user, and where their workers have their packages.

    Args:
      flags: Beam's own options, those of the pipeline before those of a component, if both are
        given: of an option that is there twice Beam takes the last.

    Raises:
      KwsError: an option that Beam does not know, or a runner elsewhere whose workers would not
        have the product's packages.
    """
    asked = [flag for flag in flags if flag != PACKAGES_ARE_THERE]
    options = PipelineOptions(asked)
    runner = options.view_as(StandardOptions).runner or "DirectRunner"
    _check(asked, options, runner)
    if _ships_packages(options):
        return asked
    if _has_packages(options, runner):
        return [*asked, PACKAGES_ARE_THERE]
    raise KwsError(
        f"beam_pipeline_args: workers of {runner} would not have this product's packages",
        hint="add --sdk_container_image=IMAGE, or --extra_package=WHEEL: docs/scale.md has both",
    )


def is_elsewhere(flags: Sequence[str]) -> bool:
    """Whether workers share with this process no more than what has a URL."""
    options = PipelineOptions(list(flags))
    runner = options.view_as(StandardOptions).runner or "DirectRunner"
    loopback = options.view_as(PortableOptions).environment_type == "LOOPBACK"
    return "direct" not in runner.lower() and not loopback


def _check(flags: Sequence[str], options: PipelineOptions, runner: str) -> None:
    if not any(name in runner.lower() for name in _RUNNERS_CHECKED):
        return
    known = options.get_all_options()
    for flag in options.get_all_options(retain_unknown_options=True):
        if flag not in known:
            close = difflib.get_close_matches(flag, known, n=1)
            raise KwsError(
                f"beam_pipeline_args: Beam has no option --{flag}",
                hint=f"did you mean --{close[0]}?" if close else "they are written --name=value",
            )
    before = ""
    for flag in flags:
        if not flag.startswith("-") and ("=" in before or not before):
            raise KwsError(
                f"beam_pipeline_args: {flag!r} is no option", hint="they are written --name=value"
            )
        before = flag if flag.startswith("-") else ""


def _ships_packages(options: PipelineOptions) -> bool:
    setup = options.view_as(SetupOptions)
    image = options.view_as(WorkerOptions).sdk_container_image
    shipped = setup.extra_packages or setup.setup_file or setup.requirements_file
    return bool(shipped or (image and image != _NO_IMAGE))


def _has_packages(options: PipelineOptions, runner: str) -> bool:
    environment = options.view_as(PortableOptions).environment_type
    return "direct" in runner.lower() or environment in _WORKERS_HAVE_PACKAGES
