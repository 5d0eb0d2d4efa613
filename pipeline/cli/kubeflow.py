"""`kws kubeflow`: compile the pipeline for Kubeflow Pipelines; upload, run, schedule, follow it."""

import dataclasses
import json as json_module
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from kws.errors import KwsError
from kws.terminal import echo

app = typer.Typer(
    help="Kubeflow Pipelines: compile, upload, run, schedule, look.", no_args_is_help=True
)

TOKEN = "KWS_KUBEFLOW_TOKEN"
"""Environment variable: a bearer token. No option, so that no shell's history keeps it."""
COOKIE = "KWS_KUBEFLOW_COOKIE"
"""Environment variable: the cookie of a login by a browser, `NAME=VALUE`."""

File = Annotated[Path, typer.Argument(help="What `kws kubeflow compile` wrote.")]
Name = Annotated[str, typer.Argument(help="Of the schedule: see `kws kubeflow list`.")]
Host = Annotated[
    str | None,
    typer.Option(help="URL of the API.", envvar="KF_PIPELINES_ENDPOINT", show_default=False),
]
Namespace = Annotated[
    str | None, typer.Option(help="In a multi-user installation.", show_default=False)
]
CaCert = Annotated[
    Path | None,
    typer.Option(
        help="Certificates to trust, if not the system's.",
        envvar="KWS_KUBEFLOW_CA",
        show_default=False,
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", help="name=value, e.g. epochs=30; may be repeated."),
]
Account = Annotated[
    str | None,
    typer.Option("--service-account", help="Whose rights the run has.", show_default=False),
]


@app.command("compile")
def compile_(
    image: Annotated[str, typer.Option(help="Of the containers, with this product in it.")],
    pipeline_root: Annotated[str, typer.Option(help="Bucket of the artifacts, e.g. gs://b/kws.")],
    data: Annotated[
        str, typer.Option(help="Recordings as the containers see them; a run may say otherwise.")
    ],
    preset: Annotated[
        str, typer.Option(help="By name, or a YAML file.")
    ] = "speech_commands_windowed",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("kws.yaml"),
    destination: Annotated[
        str, typer.Option(help="Of the bundles. Default: below the pipeline root.")
    ] = "",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override, e.g. training.epochs=5.")
    ] = None,
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain",
            help="For a schedule: a run with nothing new ends after its first task, training "
            "starts from the served model, labels are judged by it (docs/retraining.md).",
        ),
    ] = False,
) -> None:
    """Compile a preset into the YAML that Kubeflow Pipelines runs; lists its run parameters."""
    from pipeline.config import load

    settings = [*(set_ or ()), f"data.path={data}"]
    config = load(preset, settings)
    if retrain:
        from pipeline.retraining.one_pass import overrides

        # All epochs: whether there is a model to start from, only a run knows.
        config = load(preset, [*overrides(config, warm=False), *settings])

    from pipeline.runners.kubeflow import compile

    target = compile.Target(
        image=image, root=pipeline_root, data=data, destination=destination, retrain=retrain
    )
    spec = compile.compile_spec(config, target)
    compile.write(spec, out, config.kubeflow)
    for name, size in compile.template_bytes(spec).items():
        if size > compile.MAX_TEMPLATE_BYTES:
            echo(
                f"warning: {name} needs some {size >> 10} KB of Argo's template, of which Kubeflow "
                f"Pipelines up to 2.5 takes {compile.MAX_TEMPLATE_BYTES >> 10} KB: use fewer "
                "keywords or slices, or a later version",
                err=True,
            )
    echo(f"{out}: {len(spec['root']['dag']['tasks'])} tasks; parameters of a run:")
    for name, parameter in spec["root"]["inputDefinitions"]["parameters"].items():
        echo(f"  {name}={parameter['defaultValue']}  {parameter['description']}")


@app.command()
def upload(
    file: File, host: Host = None, namespace: Namespace = None, ca_cert: CaCert = None
) -> None:
    """Upload a compiled pipeline as a version of its own; the same file is uploaded once."""
    version = _server(host, namespace, ca_cert).upload(file)
    echo(f"{version.name}: {'uploaded' if version.new else 'was there already'}")


@app.command()
def run(
    file: File,
    host: Host = None,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    parameter: Parameters = None,
    service_account: Account = None,
) -> None:
    """Run a compiled pipeline now."""
    from pipeline.runners.kubeflow.client import parameters_of

    parameters = parameters_of(file, parameter or [])
    started = _server(host, namespace, ca_cert).run(file, parameters, service_account)
    echo(f"run {started} started")


@app.command()
def schedule(
    file: File,
    cron: Annotated[
        str, typer.Option(help='Six fields, seconds first: "0 0 3 * * *" is every night at three.')
    ],
    host: Host = None,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    parameter: Parameters = None,
    name: Annotated[
        str | None, typer.Option(help="Of the schedule. Default: the pipeline's.")
    ] = None,
    service_account: Account = None,
) -> None:
    """Run a compiled pipeline again and again; said twice, the schedule is changed, not doubled."""
    from pipeline.runners.kubeflow.client import check_cron, parameters_of

    check_cron(cron)
    parameters = parameters_of(file, parameter or [])
    made, changed = _server(host, namespace, ca_cert).schedule(
        file, cron, parameters, name, service_account
    )
    echo(f"{made.name}: {made.cron}, {'scheduled' if changed else 'was so already'}")


@app.command("list")
def list_(
    host: Host = None,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """All schedules."""
    found = _server(host, namespace, ca_cert).schedules()
    if json:
        keys = ("name", "cron", "enabled", "parameters")
        rows = [{key: getattr(one, key) for key in keys} for one in found]
        typer.echo(json_module.dumps(rows, indent=2))
        return
    for one in found:
        state = "on" if one.enabled else "paused"
        given = " ".join(f"{key}={value}" for key, value in sorted(one.parameters.items()))
        echo(f"{one.name}  {one.cron}  {state}  {given}".rstrip())
    if not found:
        echo("no schedules")


@app.command()
def pause(
    name: Name,
    host: Host = None,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on again.")] = False,
) -> None:
    """Pause a schedule, or let it go on; runs that are under way are not touched."""
    changed = _server(host, namespace, ca_cert).pause(name, resume)
    state = "on" if resume else "paused"
    echo(f"{name}: {state if changed else f'was {state} already'}")


@app.command()
def delete(
    name: Name, host: Host = None, namespace: Namespace = None, ca_cert: CaCert = None
) -> None:
    """Delete a schedule; the pipeline, its runs and its bundles stay."""
    count = _server(host, namespace, ca_cert).delete(name)
    echo(f"{name}: {'deleted' if count else 'there is none'}")


@app.command()
def runs(
    host: Host = None,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    count: Annotated[int, typer.Option(min=1, max=200, help="Of the newest.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """The newest runs; of one that failed, which task and why."""
    found = _server(host, namespace, ca_cert).runs(count)
    if json:
        typer.echo(json_module.dumps([dataclasses.asdict(one) for one in found], indent=2))
        return
    for one in found:
        echo(f"{one.run_id}  {one.created_at}  {one.state}  {one.name}  {one.failure}".rstrip())
    if not found:
        echo("no runs")


@app.command()
def logs(
    run_id: Annotated[str, typer.Argument(help="Of the run: see `kws kubeflow runs`.")],
    task: Annotated[
        str | None, typer.Option(help="By its name. Default: the one that failed.")
    ] = None,
    host: Host = None,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
) -> None:
    """What a task's container wrote."""
    _, text = _server(host, namespace, ca_cert).log(run_id, task)
    echo(text.rstrip("\n"))


def _server(host: str | None, namespace: str | None, ca_cert: Path | None) -> Any:
    if not host:
        raise KwsError(
            "no host of Kubeflow Pipelines is given", hint="--host, or KF_PIPELINES_ENDPOINT"
        )
    from pipeline.runners.kubeflow.client import Kubeflow
    from pipeline.runners.kubeflow.errors import Access

    token, cookie = os.environ.get(TOKEN), os.environ.get(COOKIE)
    return Kubeflow(Access(host=host, token=token, cookie=cookie, ca_cert=ca_cert), namespace)
