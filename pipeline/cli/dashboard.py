"""`kws dashboard`: runs over time, TFMA's and TFDV's results of each, in a browser."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from kws.errors import KwsError
from kws.terminal import echo
from pipeline.cli import common, complete


def dashboard(
    runs: Annotated[
        Path,
        typer.Argument(
            help="A folder of runs, or of one pipeline (runs/quickstart).",
            autocompletion=complete.runs,
        ),
    ] = Path("runs"),
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8760,
) -> None:
    """Serve a local page: figures over all runs, TFMA's confusion matrix and slices, statistics.

    It answers this machine alone and fetches nothing from elsewhere. New runs are there when the
    page is loaded again. Ctrl+C ends it.
    """
    from kws.loopback import ADDRESS
    from kws.report.server import serve
    from pipeline.runners.terminal_progress import log_file

    # TFMA and TensorFlow log as they are read; the terminal has the address and nothing else.
    with tempfile.TemporaryDirectory() as folder, log_file(Path(folder)):
        from pipeline.dashboard import Dashboard
        from pipeline.runs import listing as known

        found = known.below(runs)
        try:
            server = serve(Dashboard(runs), port)
        except OSError as error:
            raise KwsError(
                f"port {port} of this machine cannot be had: {error.strerror}",
                hint="choose another: --port 0 takes a free one",
            ) from error
        url = f"http://{ADDRESS}:{server.server_address[1]}/"
        with server, common.at_a_signal():
            echo(f"{len(found)} runs: {url} (Ctrl+C ends it)")
            server.serve_forever()
