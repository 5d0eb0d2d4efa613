"""`kws listen`: what a pushed bundle hears right now, from a microphone or a pipe."""

import contextlib
import dataclasses
import json as json_module
import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from kws.errors import KwsError

if TYPE_CHECKING:
    import numpy as np

    from kws.listen import Moment

BAR = 20
METER_MS = 100
QUIETEST_DBFS = -60.0


def listen(
    bundle: Annotated[
        str, typer.Option(help="Bundle, or a folder of versions (or gs://…, s3://…).")
    ],
    source: Annotated[
        str, typer.Argument(help='"mic", or "-": standard input, a WAV or raw 16-bit mono.')
    ] = "mic",
    rate: Annotated[
        int | None,
        typer.Option(
            min=2000, max=400_000, help="Of raw sound in the pipe, Hz; else the bundle's."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Microphone, by name or number: python -m sounddevice.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.001, max=0.999, help="In place of the bundle's own.")
    ] = None,
    sensitivity: Annotated[
        str | None,
        typer.Option(help="One that the bundle names: low, medium, high.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a detection.")] = False,
) -> None:
    """Detections as they happen: seconds since the start, keyword, score. Ctrl-C ends it.

    On a terminal, a meter shows the level and the likeliest keyword. The frontend, the int8 model
    and the detector are the bundle's, as on the device and in `kws detect`.
    """
    from kws import detect as detecting
    from kws.audio import live
    from kws.listen import Listener

    if source not in ("mic", "-"):
        raise KwsError(f"source={source!r} of kws listen", hint='"mic" or "-"; files: kws detect')
    spotter = detecting.load(bundle, threshold, sensitivity)
    wanted = spotter.frontend.params.sample_rate
    listener = Listener(spotter)
    meter = _Meter(spotter.model.labels, shown=sys.stderr.isatty())

    def chunks() -> Iterator["np.ndarray"]:
        if source == "-":
            return live.from_pipe(sys.stdin.buffer, wanted, rate)
        number = int(device) if device is not None and device.isdigit() else device
        return live.from_microphone(wanted, number)

    def report(moment: "Moment") -> None:
        if (found := moment.detection) is None:
            return
        meter.clear()
        if json:
            line = json_module.dumps(dataclasses.asdict(found))
        else:
            line = f"{found.end_ms / 1000:9.2f} s  {found.label:<16} {found.score:.3f}"
        print(line, flush=True)

    # Ctrl-C and a closed `| head` are how a person ends this: no error.
    with contextlib.suppress(KeyboardInterrupt):
        for chunk in chunks():
            for moment in listener.feed(chunk):
                report(moment)
                meter.heed(moment)
            meter.show(chunk, listener.heard_ms)
        for moment in listener.finish():
            report(moment)
    meter.clear()


class _Meter:
    """A line that is written over and over: level, and the likeliest keyword's posterior."""

    def __init__(self, labels: list[str], shown: bool):
        from kws.detection.detector import keyword_indices

        self._labels, self._keywords, self._shown = labels, keyword_indices(labels), shown
        self._best, self._label, self._due_ms = 0.0, "", 0.0

    def heed(self, moment: "Moment") -> None:
        """Takes a row of posteriors; the highest since the last drawing is drawn."""
        index = max(self._keywords, key=lambda i: moment.posteriors[i])
        if moment.posteriors[index] >= self._best:
            self._best, self._label = float(moment.posteriors[index]), self._labels[index]

    def show(self, chunk: "np.ndarray", heard_ms: float) -> None:
        """Draws, if the last drawing is some time back."""
        if not self._shown or heard_ms < self._due_ms or not len(chunk):
            return
        power = float((chunk.astype(float) ** 2).mean()) / 32768.0**2
        dbfs = max(QUIETEST_DBFS, 10 * math.log10(power + 1e-12))
        level = _bar(1 - dbfs / QUIETEST_DBFS)
        line = f"{heard_ms / 1000:7.1f} s {level} {dbfs:4.0f} dBFS  {_bar(self._best)} "
        print(f"\r\x1b[K{line}{self._best:.2f} {self._label}", end="", file=sys.stderr, flush=True)
        self._best, self._label, self._due_ms = 0.0, "", heard_ms + METER_MS

    def clear(self) -> None:
        """Wipes the line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _bar(share: float) -> str:
    full = round(min(max(share, 0.0), 1.0) * BAR)
    return "█" * full + "·" * (BAR - full)
