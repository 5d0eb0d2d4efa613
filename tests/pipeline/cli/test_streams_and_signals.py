"""What is not ours stays out of standard output, and a signal ends a verb with a line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PREAMBLE = """
import ctypes, os, sys, time, typer
from pipeline.cli import common
app = typer.Typer()
@app.callback()
def root() -> None: pass
"""
END = """
common.teach(app)
sys.exit(common.run(app, sys.argv[1:]))
"""


def _command(body: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", PREAMBLE + body + END, *arguments]


def test_what_c_code_prints_is_not_in_the_json():
    body = """
@app.command()
def show() -> None:
    c = ctypes.CDLL(None)
    c.puts(b"printed by a codec, and buffered")
    os.write(1, b"written by a codec")
    os.system("echo said by a program")
    typer.echo('{"a": 1}')
    c.puts(b"and once more")
"""
    done = subprocess.run(_command(body, "show"), capture_output=True, text=True)
    assert json.loads(done.stdout) == {"a": 1} and done.stderr == "" and done.returncode == 0
    loud = subprocess.run(_command(body, "show", "--verbose"), capture_output=True, text=True)
    assert json.loads(loud.stdout) == {"a": 1}
    assert "written by a codec" in loud.stderr and "buffered" in loud.stderr


def test_a_name_that_is_not_utf_8_is_printed_as_its_bytes(tmp_path):
    body = """
@app.command()
def show(name: str) -> None:
    print(name)
"""
    command = [os.fsencode(part) for part in _command(body, "show")]
    done = subprocess.run([*command, b"a\xff.wav"], capture_output=True)
    assert done.stdout in (b"a\\udcff.wav\n", b"a\xff.wav\n") and done.returncode == 0


WAITING = """
@app.command()
def run() -> None:
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        print(folder, flush=True)
        try:
            time.sleep(60)
        except Exception:
            print("not caught by code that expects errors")
"""


def _start(command: list[str]) -> "subprocess.Popen[str]":
    """SIGINT is heard, whoever started the tests: a shell has its background jobs ignore it."""
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_a_line_that_says_how_to_go_on(number):
    process = _start(_command(WAITING, "run"))
    folder = Path(process.stdout.readline().strip())
    assert folder.is_dir()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number and out == ""
    first, second = err.splitlines()
    assert first == f"kws: stopped by {number.name}"
    assert "the same command goes on where it stopped" in second
    assert not folder.exists()


SWALLOWING = """
from pipeline.cli import common
common.AGAIN_S, common.LAST_S = 0.2, 1.0
class Finalized:
    def __del__(self) -> None:
        print("in", flush=True)
        time.sleep(60)  # Python drops what is raised here
@app.command()
def run(how: str) -> None:
    if how == "once":
        Finalized()
        time.sleep(60)
    while True:
        try:
            print("in", flush=True)
            time.sleep(60)
        except BaseException:
            pass
"""


@pytest.mark.parametrize("how", ["once", "always"])
@pytest.mark.parametrize("signals", [1, 2])
def test_an_interrupt_that_somebody_drops_ends_the_run_all_the_same(how, signals):
    process = _start(_command(SWALLOWING, "run", how))
    try:
        assert process.stdout.readline() == "in\n"
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err.splitlines()[-2] == "kws: stopped by SIGINT"


def test_an_interrupt_while_the_command_is_loaded_leaves_no_traceback():
    """Sent at ten moments of the start, the first as soon as Python runs our code."""
    code = "import sys; print('up', flush=True); sys.argv = ['kws', 'presets']\n"
    code += "from kws.__main__ import main; main()"
    seen = set()
    for moment in range(10):
        process = _start([sys.executable, "-c", code])
        process.stdout.readline()
        time.sleep(0.05 + 0.15 * moment)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err and len(err.splitlines()) <= 1, err
        seen.add(process.returncode)
    assert 130 in seen and seen <= {0, 130, -signal.SIGINT}


@pytest.mark.parametrize(
    ("make", "sentence", "advice"),
    [
        ("open('/nowhere/x')", "/nowhere/x: No such file or directory", "not there"),
        ("os.mkdir('/dev/null/x')", "/dev/null/x: Not a directory", "a file stands"),
        ("raise OSError(28, 'No space left on device', 'runs/x')",
         "runs/x: No space left on device", "the disk is full"),
        ("raise OSError(28, 'No space left on device')",
         "writing a file: No space left on device", "the disk is full"),
        ("raise OSError(30, 'Read-only file system', 'runs')",
         "runs: Read-only file system", "cannot be written"),
    ],
)  # fmt: skip
def test_a_disk_that_does_not_do_what_it_should_is_a_sentence(make, sentence, advice):
    body = f"""
@app.command()
def go() -> None:
    {make}
"""
    done = subprocess.run(_command(body, "go"), capture_output=True, text=True)
    first, second = done.stderr.splitlines()
    assert first == f"kws: {sentence}" and advice in second and done.returncode == 1
    assert "not foreseen" not in done.stderr
