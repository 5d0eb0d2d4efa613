"""Two passes at once do not happen, and a dead one holds nobody up."""

import subprocess
import sys

import pytest

from pipeline.retraining.lock import Busy, only_one

HOLDER = """
import sys
from pathlib import Path
from pipeline.retraining.lock import only_one
with only_one(Path(sys.argv[1]), "a retraining"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_by_name_until_the_holder_is_killed(tmp_path):
    file = tmp_path / "runs" / "lock"
    command = [sys.executable, "-c", HOLDER, str(file)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(Busy, match=f"a retraining goes on .*process {holder.pid}"),
            only_one(file, "a retraining"),
        ):
            pytest.fail("two at once")
    finally:
        holder.kill()
        holder.communicate()
    with only_one(file, "a retraining"):
        pass
