"""`kws tensorboard`: TensorBoard on the logs of a run."""

import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from kws import loopback
from kws.errors import KwsError
from kws.terminal import echo
from pipeline.cli import common, complete


def tensorboard(
    run: Annotated[
        Path,
        typer.Argument(
            help="Folder of a run (runs/quickstart), or of runs: the newest.",
            autocompletion=complete.runs,
        ),
    ] = Path("runs"),
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 6006,
    every: Annotated[
        bool, typer.Option("--all", help="The trainings of every run of the pipeline.")
    ] = False,
) -> None:
    """Show the training of a run in TensorBoard, on this machine alone; Ctrl+C ends it."""
    from pipeline.runs import corpus_figures, results

    metadata = corpus_figures.newest_metadata(run)
    found = results.all_runs(metadata) if every else [results.newest_run(metadata)]
    logs = {}
    for one in found:
        for step in one.steps:
            if step.name == "Trainer" and step.outputs.get("model_run"):
                folder = step.folder("model_run")
                if folder.is_dir():
                    logs[folder] = f"{one.pipeline}-{one.number}"
    if not logs:
        raise KwsError(
            f"{metadata.parent} has no logs of a training", hint="its run has not come so far"
        )

    from tensorboard import program

    # Loopback, and no data server beside it: its shared memory is of no use for logs of this size.
    if len(logs) == 1:
        where = {"logdir": str(*logs)}
    else:
        named = (f"{name}:{folder}" for folder, name in reversed(logs.items()))
        where = {"logdir_spec": ",".join(named)}
    board = program.TensorBoard(server_class=_server)
    board.configure(**where, host=loopback.ADDRESS, port=port, load_fast="false", reload_interval=5)
    try:
        url = board.launch()
    except program.TensorBoardServerException as error:
        raise KwsError(error.msg, hint="choose another port: --port 0 takes a free one") from error
    with common.at_a_signal():
        echo(f"TensorBoard of {', '.join(logs.values())}: {url} (Ctrl+C ends it)")
        threading.Event().wait()


def _server(app: Any, flags: Any) -> Any:
    """TensorBoard's own server, which by itself answers to any Host."""
    from tensorboard import program

    return program.create_port_scanning_werkzeug_server(loopback.only_here(app), flags)
