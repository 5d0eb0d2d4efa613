"""`kws retrain`: one pass of the loop, or the loop."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kws.errors import KwsError
from kws.terminal import Terminal, echo
from pipeline.cli import complete

if TYPE_CHECKING:
    from pipeline.retraining.one_pass import Request

REFUSED, BUSY = 2, 75
EPILOG = """Example, weekly by cron:

0 3 * * 1  kws retrain mine.yaml --data /srv/words --spans "week-{SPAN}" --out /srv/runs

docs/retraining.md has the whole of it, with systemd."""


def retrain(
    preset: Annotated[
        str, typer.Argument(help="Preset by name (`kws presets`), or a YAML file.")
    ] = "quickstart",
    data: Annotated[
        Path | None, typer.Option(help="Recordings that grow. Default: what the preset names.")
    ] = None,
    spans: Annotated[
        str | None,
        typer.Option(
            help='Pattern of the folders in --data by which it grows, e.g. "week-{SPAN}". None: '
            "the folder grows itself.",
            show_default=False,
        ),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Public corpora by name: librispeech-dev-clean,musan (kws corpus list); may be "
            "repeated.",
            autocompletion=complete.corpora,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Metadata, artifacts, logs and bundles.")] = Path(
        "runs"
    ),
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, e.g. retraining.epochs_share=0.5; may be repeated."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Train even if nothing is new, every step anew.")
    ] = False,
    watch: Annotated[
        Path | None,
        typer.Option(help="As --data, and again every --every until SIGTERM or Ctrl-C."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(help="Look again after so long: 90s, 10m, 6h, 1d. With --watch: 10m."),
    ] = None,
) -> None:
    """Retrain if there is something new: from the last blessed model, pushed if it is no worse.

    A pass takes the newest recordings, starts from the last blessed model, is compared with it on
    the same streams, and is pushed only if all gates pass. What was judged is not trained on again.

    Exit status: 0 pushed, or nothing new; 2 refused; 75 another pass goes on; 1 an error.
    """
    if watch is not None and data is not None and watch != data:
        raise KwsError(
            f"--watch {watch} and --data {data}: give one", hint="--watch is --data as well"
        )
    from pipeline.cli.common import is_verbose
    from pipeline.cli.corpus import corpora_overrides
    from pipeline.retraining.one_pass import Request

    settings = [*corpora_overrides(with_), *(set_ or ())]
    if spans is not None:
        settings.insert(0, f"data.span_folder='{spans}'")
    request = Request(
        preset=preset,
        set_=tuple(settings),
        data=data or watch,
        out=out,
        force=force,
        verbose=is_verbose(),
    )
    if watch is not None or every is not None:
        if force:
            raise KwsError("--force in a loop would train for ever", hint="give it alone, once")
        _watch(request, seconds_of(every or "10m"))
        return
    _once(request)


def _once(request: "Request") -> None:

    from kws.storage import Busy
    from pipeline.retraining.one_pass import one_pass

    try:
        judged = one_pass(request, Terminal())
    except Busy as busy:
        echo(f"kws: {busy.message}", err=True)
        raise typer.Exit(BUSY) from None
    raise typer.Exit(REFUSED if judged is not None and judged.verdict == "refused" else 0)


def _watch(request: "Request", every_s: float) -> None:
    import datetime

    from kws import storage
    from pipeline.paths import Paths
    from pipeline.retraining.watch import Watch

    config = request.load()  # what is wrong is refused before the first pass
    folder = Paths(out=request.out, name=config.name).metadata.parent

    def say(text: str) -> None:
        echo(f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S} {config.name}: {text}")

    command = [sys.executable, "-m", "kws", "retrain", request.preset]
    command += ["--out", str(request.out)]
    if request.data is not None:
        command += ["--data", str(request.data)]
    for setting in request.set_:
        command += ["--set", setting]
    with storage.lock(folder / ".watch.lock", f"a watch of {config.name}", wait=False):
        say(f"looks every {every_s:g} s; logs of the passes: {folder / 'logs'}")
        Watch(command, every_s, say).run()


def seconds_of(text: str) -> float:
    """`90s`, `10m`, `6h`, `1d` in seconds.

    Raises:
      KwsError: it is neither.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h|d)", text)
    if match is None or float(match[1]) == 0:
        raise KwsError(f"--every {text}: no time", hint="90s, 10m, 6h or 1d")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
