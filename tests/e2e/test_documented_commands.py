"""What README.md, docs/ and --help tell a reader to type is typed, on a finished run.

Every other command of theirs is in `ONLY_PARSED` with the reason, and is held against its parser by
tests/docs. A new document's commands are found by themselves: either they work here, or a line is
added there.
"""

import contextlib
import io
import shlex
import shutil
from pathlib import Path

import pytest

from pipeline.cli import app, common
from tests.docs.blocks import FILES, Command, in_blocks, in_help
from tests.docs.parsers import verb_of

ONLY_PARSED = {
    "run": "minutes to hours of training: tests/e2e runs its small one; nightly the quickstart",
    "retrain": "likewise: tests/e2e/test_retrain.py",
    "personalize": "trains: tests/e2e/test_personalize.py",
    "say": "minutes of voices: nightly",
    "synth stream": "minutes of voices: nightly",
    "synth scenes": "minutes of voices: nightly",
    "models": "converts the whole zoo where --measure is given: nightly",
    "corpus get": "loads hundreds of megabytes: tests/pipeline/cli/test_corpus.py has a server",
    "listen": "needs a microphone; a pipe: tests/kws/test_listen.py",
    "demo": "serves until it is stopped: tests/e2e/test_demo.py",
    "tensorboard": "serves until it is stopped: tests/e2e/test_runs.py",
    "dashboard": "serves until it is stopped",
    "kubeflow": "needs a server: tests/pipeline/runners/kubeflow/test_client.py has one",
    "lineage": "names versions of the reader's own: tests/e2e has its own test",
    "runs diff": "names runs of the reader's own: tests/e2e has its own test",
    "": "help, version, completion: tests/pipeline/cli/test_common.py",
    "augment show": "a voice says a word where no recording is given: nightly",
}
"""By verb, or by its first word. Programs that are not `kws` (make, tfx, benchmarks) take hours."""

NIGHTLY = ("say", "synth stream", "synth scenes", "augment show", "models")
WRITES = ("--out", "--picture", "--chime", "-o")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")


def commands(verbs_of_night: bool) -> list[Command]:
    """Those that are run, by day or by night, each once."""
    # docs/extending is run by tests/docs/test_extending.py, in a copy that has its examples.
    files = [file for file in FILES if file.parent.name != "extending"]
    found = [command for file in files for command in in_blocks(file)]
    found += list(in_help(app))
    chosen: dict[tuple[str, ...], Command] = {}
    for command in found:
        if command.words[0] != "kws" or "tutorial.yaml" in command.words:
            continue  # that preset loads Speech Commands, 2.3 GB
        verb = verb_of(list(command.words[1:]))[0]
        parsed = verb in ONLY_PARSED or verb.split(" ")[0] in ONLY_PARSED
        if verb in NIGHTLY if verbs_of_night else not parsed:
            chosen.setdefault(command.words, command)
    return list(chosen.values())


@pytest.fixture(scope="module")
def folder(pipeline, first_run, tmp_path_factory) -> Path:
    """A reader's folder: runs by any name, presets, recordings; it is the working folder."""
    folder = tmp_path_factory.mktemp("reader")
    made = pipeline.out / "tiny"
    shutil.copytree(made / "bundles", folder / "bundles")
    version = pipeline.versions[0]
    # One version more, for those who go back to the one before.
    served = (folder / "bundles" / "LATEST").read_text().strip()
    shutil.copytree(folder / "bundles" / served, folder / "bundles" / "20260131120000")
    sounds = sorted(version.glob("test_vectors/*.wav"))
    for name in ("recordings", "my_recordings/left", "my_clips/left", "my_clips/forward"):
        (folder / name).mkdir(parents=True)
        for sound in sounds[:3]:
            shutil.copy(sound, folder / name)
    return folder


def typed(command: Command, folder: Path, made: Path) -> list[str]:
    """The arguments as a reader types them: names put in for placeholders, files that are there."""
    versions = sorted(path.name for path in (folder / "bundles").glob("[0-9]*"))
    arguments = []
    for before, word in zip(command.words, command.words[1:], strict=False):
        if before in WRITES:
            pass
        elif word.isdigit() and len(word) == len("20260131120000"):
            word = versions[-1]
        elif word.startswith("runs/") or "BUNDLE" in word:
            parts = Path(word.replace("BUNDLE", "runs/any/bundles")).parts[1:]
            _run(folder / "runs" / parts[0], folder, made)
            word = "/".join(("runs", *parts))
        elif word in ("DIR", "FOLDER", "UNPACKED"):
            word = "my_recordings"
        elif Path(word).suffix in SOUNDS and not (folder / word).exists():
            shutil.copy(sorted((folder / "recordings").iterdir())[0], folder / word)
        elif word.endswith(("labels.txt", "_labels.txt")):
            (folder / word).write_text("left, 0.0\n")
        arguments.append(word)
    return arguments


def _run(place: Path, folder: Path, made: Path) -> None:
    """The finished run under another name, its bundles its own: commands may change those."""
    if place.exists():
        return
    place.mkdir(parents=True)
    for part in made.iterdir():
        if part.name == "bundles":
            shutil.copytree(folder / "bundles", place / "bundles")
        elif part.name != "report.html":
            (place / part.name).symlink_to(part)


def say(arguments: list[str]) -> tuple[int, str]:
    """Exit status and output of `kws`, in this process: TensorFlow is imported once."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        status = common.run(app, arguments)
    return status, told.getvalue()


@pytest.mark.parametrize("command", commands(verbs_of_night=False), ids=str)
def test_a_documented_command_works(command, folder, pipeline, monkeypatch):
    monkeypatch.setenv("KWS_CACHE", pipeline.environment["KWS_CACHE"])
    _works(command, folder, pipeline, monkeypatch)


@pytest.mark.nightly
@pytest.mark.parametrize("command", commands(verbs_of_night=True), ids=str)
def test_a_dear_documented_command_works(command, folder, pipeline, monkeypatch):
    # The user's cache, so that what was synthesized last night is there.
    _works(command, folder, pipeline, monkeypatch)


def _works(command, folder, pipeline, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    arguments = typed(command, folder, pipeline.out / "tiny")
    _run(folder / "runs" / "quickstart", folder, pipeline.out / "tiny")
    status, told = say(arguments)
    assert status == 0, f"kws {shlex.join(arguments)}: {told[-2000:]}"
