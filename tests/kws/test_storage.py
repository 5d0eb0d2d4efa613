"""What processes share appears whole, has one writer at a time, and no dead holder blocks it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kws import storage
from kws.errors import KwsError

HOLDER = """
import sys
from pathlib import Path
from kws import storage
with storage.lock(Path(sys.argv[1]), "a run of quickstart"):
    print("held", flush=True)
    sys.stdin.read()
"""
WAITER = """
import sys
from pathlib import Path
from kws import storage
with storage.lock(Path(sys.argv[1]), "a run of quickstart"):
    print("entered", flush=True)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock `tmp_path/runs/lock` until it is killed or its input ends."""
    process = start(HOLDER, tmp_path / "runs" / "lock")
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def start(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_who_does_not_wait_is_told_process_host_and_time(holder, tmp_path):
    told = rf"a run of quickstart is in progress in .*runs \(process {holder.pid} on \S+ since 20"
    with (
        pytest.raises(storage.Busy, match=told),
        storage.lock(tmp_path / "runs" / "lock", "a run of quickstart", wait=False),
    ):
        pytest.fail("two at once")


def test_who_waits_says_so_in_one_line_and_enters_when_the_holder_is_killed(holder, tmp_path):
    waiter = start(WAITER, tmp_path / "runs" / "lock")
    line = waiter.stderr.readline()
    assert re.fullmatch(
        rf"Waiting: a run of quickstart is .* \(process {holder.pid} on .*\)\n", line
    )
    assert waiter.poll() is None
    holder.send_signal(signal.SIGKILL)
    assert waiter.communicate(timeout=60) == ("entered\n", "")


def test_many_that_come_and_go_are_never_inside_together_and_leave_no_lock_file(tmp_path):
    # Each removes the lock file as it leaves, while others wait for it or are about to open it.
    program = """
import os, sys
from pathlib import Path
from kws import storage
folder = Path(sys.argv[1])
for _ in range(150):
    with storage.lock(folder / "lock", "a step"):
        inside = os.open(folder / "inside", os.O_CREAT | os.O_EXCL)
        count = int((folder / "count").read_text())
        (folder / "count").write_text(str(count + 1))
        os.close(inside)
        os.unlink(folder / "inside")
"""
    (tmp_path / "count").write_text("0")
    together = [start(program, tmp_path) for _ in range(4)]
    ended = [process.communicate() for process in together]
    assert [process.returncode for process in together] == [0] * 4, ended
    assert (tmp_path / "count").read_text() == "600" and os.listdir(tmp_path) == ["count"]


def test_a_program_that_outlives_the_holder_who_started_it_does_not_keep_the_lock(tmp_path):
    # Started programs do not inherit the descriptor, so that a stray one blocks nobody.
    program = HOLDER.replace("sys.stdin.read()", "") + (
        "    import subprocess\n"
        "    quiet = subprocess.DEVNULL\n"
        "    child = subprocess.Popen(['sleep', '60'], stdout=quiet, stderr=quiet)\n"
        "    print(child.pid, flush=True)\n"
        "    import os; os._exit(1)\n"
    )
    process = start(program, tmp_path / "lock")
    process.wait()
    held, child = process.stdout.read().split()
    try:
        assert held == "held"
        with storage.lock(tmp_path / "lock", "a run", wait=False):
            pass
    finally:
        os.kill(int(child), signal.SIGKILL)
        process.communicate()


def test_a_thread_enters_its_own_lock_again_and_another_thread_does_not(tmp_path):
    refused = []

    def other():
        try:
            with storage.lock(tmp_path / "lock", "it", wait=False):
                refused.append(False)
        except storage.Busy:
            refused.append(True)

    with storage.lock(tmp_path / "lock", "it"):
        with storage.lock(tmp_path / ".." / tmp_path.name / "lock", "it"):
            pass
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    other()
    assert refused == [True, False]


def test_a_lock_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(KwsError, match=r"file/lock cannot be written: "),
        storage.lock(tmp_path / "file" / "lock", "it"),
    ):
        pass


def test_writers_side_by_side_leave_one_whole_file_and_nothing_else(tmp_path):
    program = """
import sys
from pathlib import Path
from kws import storage
for _ in range(60):
    storage.atomic_write(Path(sys.argv[1]), sys.argv[2] * 100_000)
"""
    writers = [start(program, tmp_path / "report.html", letter) for letter in "abc"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if (tmp_path / "report.html").exists():
            content = (tmp_path / "report.html").read_text()
            assert len(content) == 100_000
            seen |= set(content)
        time.sleep(0.005)
    assert [writer.communicate() for writer in writers] == [("", "")] * 3
    assert seen <= set("abc") and os.listdir(tmp_path) == ["report.html"]


def test_folders_written_side_by_side_end_as_one_of_them(tmp_path):
    program = """
import sys
from pathlib import Path
from kws import storage
for _ in range(40):
    with storage.atomic_folder(Path(sys.argv[1])) as folder:
        for number in range(5):
            (folder / f"{number}").write_text(sys.argv[2])
"""
    writers = [start(program, tmp_path / "bundle", letter) for letter in "abc"]
    assert [writer.communicate()[1] for writer in writers] == [""] * 3
    files = sorted((tmp_path / "bundle").iterdir())
    assert len(files) == 5 and len({file.read_text() for file in files}) == 1
    assert os.listdir(tmp_path) == ["bundle"]


def test_a_block_that_fails_leaves_what_was_there_and_no_temporary(tmp_path):
    storage.atomic_write(tmp_path / "file", "old")
    with storage.atomic_folder(tmp_path / "folder") as folder:
        (folder / "inside").write_text("old")
    with pytest.raises(ZeroDivisionError), storage.atomic_file(tmp_path / "file") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), storage.atomic_folder(tmp_path / "folder") as folder:
        (folder / "inside").write_text("half")
        raise ZeroDivisionError
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "inside").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_a_folder_that_may_not_be_replaced_stays_unless_it_is_empty(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    with storage.atomic_folder(target, replace=False) as folder:
        (folder / "mine").touch()
    with (
        pytest.raises(FileExistsError, match="out"),
        storage.atomic_folder(target, replace=False),
    ):
        pass
    assert os.listdir(target) == ["mine"] and os.listdir(tmp_path) == ["out"]


def test_what_a_killed_writer_left_is_removed_by_the_next_and_nothing_of_others(tmp_path):
    program = """
import os, sys
from pathlib import Path
from kws import storage
with storage.atomic_folder(Path(sys.argv[1])) as folder:
    (folder / "inside").touch()
    os.kill(os.getpid(), 9)
"""
    start(program, tmp_path / "abc").wait()
    others = {".abcd.17-00112233.part", ".abc.1.17-00112233.part", "abc.part"}
    for name in others:
        (tmp_path / name).touch()
    assert len(os.listdir(tmp_path)) == 4
    storage.remove_leftovers(tmp_path / "abc")
    assert set(os.listdir(tmp_path)) == others


def test_modes_follow_the_umask_so_that_others_can_read_a_shared_cache(tmp_path):
    before = os.umask(0o027)
    try:
        storage.atomic_write(tmp_path / "file", b"")
        with storage.atomic_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("file", "folder")]
    assert modes == [0o640, 0o750]


@pytest.mark.parametrize("letter", ["ä", "x"])
def test_the_longest_of_file_names_can_be_written(letter, tmp_path):
    target = tmp_path / (letter * (254 // len(letter.encode())))
    storage.atomic_write(target, "x", durable=True)
    assert target.read_text() == "x"


def test_the_cache_is_where_kws_cache_says_else_below_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KWS_CACHE", "/elsewhere")
    assert str(storage.cache_root()) == "/elsewhere"
    monkeypatch.setenv("KWS_CACHE", "")
    assert storage.cache_root() == tmp_path / ".cache" / "kws"


def test_a_device_or_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        storage.atomic_write(pipe, "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert pipe.is_fifo() and os.listdir(tmp_path) == ["pipe"]
    storage.atomic_write(Path("/dev/null"), "nothing")
    assert Path("/dev/null").is_char_device()


def test_a_folder_that_cannot_be_written_is_named_with_the_file_that_was_wanted(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as error:
        storage.atomic_write(tmp_path / "file" / "report.html", "x")
    assert ".part" not in str(error.value)
