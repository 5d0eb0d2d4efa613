"""A process that sees another root folder: what a container runtime does, by namespaces alone.

Everything of this machine is there at its place, but for the folders that are laid over it: `/gcs`,
`/s3` and `/minio` of one task are not those of the next. Nothing of it is mounted outside.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

_ROOT = """
set -e
new=$1 laid=$2
shift 2
mount -t tmpfs -o mode=0755 root "$new"
bind() {  # FROM TO
    if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "${2%/*}"; : >"$2"; fi
    mount --rbind "$1" "$2"
}
for path in /* ; do
    if [ -L "$path" ]; then cp -P "$path" "$new$path"
    elif ! grep -q "^$path " "$laid"; then
        # The home of root, where an interpreter may be, is closed to other users.
        if [ -x "$path" ] && [ "$path" = /root ]; then
            mkdir "$new$path"
            for inside in "$path"/* "$path"/.[!.]*; do
                if [ -e "$inside" ]; then bind "$inside" "$new$inside"; fi
            done
        else bind "$path" "$new$path"; fi
    fi
done
while read -r path source; do
    if [ "$source" = copy ]; then cp -a "$path" "$new$path"
    elif [ "$source" = empty ]; then mkdir -p "$new$path"
    else bind "$source" "$new$path"; fi
done <"$laid"
exec chroot "$new" "$@"
"""


@functools.cache
def _can_unshare() -> bool:
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    return subprocess.run([*_unshare(), "true"], capture_output=True).returncode == 0


def needed() -> None:
    """Skips the test where the system lets this user make no namespaces."""
    if not _can_unshare():
        pytest.skip("needs Linux and root, or user namespaces (unshare --map-root-user --mount)")


def _unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *user]


def command(
    arguments: list[str],
    work: Path,
    laid: Mapping[str, Path | str],
    uid: int | None = None,
    gid: int = 0,
    folder: str = "/",
) -> list[str]:
    """The command line that runs `arguments` in a root of its own.

    Args:
      arguments: of the process.
      work: an empty folder of its own.
      laid: path -> the folder that is there instead; "empty": one that goes with the process;
        "copy": a copy of what is there.
      uid: whose process it is; None: of the caller. Only root can become another.
      gid: its only group.
      folder: where it starts.
    """
    new = work / "root"
    new.mkdir(parents=True)
    (work / "laid").write_text("".join(f"{path} {source}\n" for path, source in laid.items()))
    become = ["env", "-C", folder] if folder != "/" else []
    if uid is not None:
        become = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *become]
    script = ["sh", "-c", _ROOT, "sh", str(new), str(work / "laid")]
    return [*_unshare(), *script, *become, *arguments]
