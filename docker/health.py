"""The image's health: the command answers, and what every task imports can be imported."""

import importlib.util
import os
import subprocess
import sys
import tempfile

WRITTEN = ("HOME", "KWS_CACHE")


def problems() -> list[str]:
    """A sentence each; none where all is well."""
    found = []
    asked = subprocess.run(["kws", "--help"], capture_output=True, text=True)
    if asked.returncode:
        found.append(f"kws --help ends with {asked.returncode}: {asked.stderr[-200:]}")
    for module in (
        "pipeline.runners.kubeflow.entrypoint",
        "components",
        "kws.bundle.publishing",
        "tfx",
    ):
        if importlib.util.find_spec(module) is None:
            found.append(f"{module} cannot be imported")
    for name in WRITTEN:
        try:
            tempfile.TemporaryFile(dir=os.environ.get(name)).close()
        except OSError as error:
            found.append(f"{name} cannot be written to: {error}")
    if os.geteuid() == 0:
        found.append("it runs as root")
    return found


if __name__ == "__main__":
    told = problems()
    print("\n".join(told) or "well")
    sys.exit(bool(told))
