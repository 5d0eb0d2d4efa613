"""`kws demo`: a page on this machine that listens, and shows what a bundle hears."""

from pathlib import Path
from typing import Annotated

import typer

from kws.errors import KwsError
from kws.terminal import echo


def demo(
    bundle: Annotated[
        str | None,
        typer.Option(
            help="Bundle, or a folder of versions (or gs://…, s3://…). Default: the newest in "
            "runs/*/bundles.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0: any that is free.")
    ] = 8765,
    threshold: Annotated[
        float | None, typer.Option(min=0.001, max=0.999, help="In place of the bundle's own.")
    ] = None,
    sensitivity: Annotated[
        str | None,
        typer.Option(help="One that the bundle names: low, medium, high.", show_default=False),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Open it in the browser.")] = False,
) -> None:
    """Serve a page that listens by the browser's microphone, or to a file dropped on it.

    It shows spectrogram, posteriors and detections as they come. The sound is heard by the bundle's
    own frontend, int8 model and detector, in this process: it does not leave the machine, and only
    this machine can open the page. Ctrl-C ends it.
    """
    import asyncio
    import contextlib
    import signal
    import webbrowser

    from kws.bundle.destinations import bundle_folder
    from kws.demo import server
    from kws.detect import load

    chosen = str(bundle_folder(bundle if bundle is not None else newest(Path("runs"))))
    load(chosen, threshold, sensitivity)  # what is wrong with it is said here, and not in the page
    sockets = server.listening(port)
    url = f"http://{server.ADDRESS}:{sockets[0].getsockname()[1]}/"

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        echo(f"{url} listens with {chosen}; Ctrl-C ends it")
        if browser:
            webbrowser.open(url)
        await server.serve(chosen, threshold, sockets, stop, sensitivity)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


def newest(runs: Path) -> Path:
    """The folder of versions below `runs` that was pushed to last.

    Raises:
      KwsError: nothing was pushed yet.
    """
    served = sorted(runs.glob("*/bundles/LATEST"), key=lambda file: file.stat().st_mtime)
    if not served:
        raise KwsError(
            f"no bundle in {runs}/*/bundles", hint="kws run makes one; or --bundle names one"
        )
    return served[-1].parent
