"""A folder in which the documents' file names are there."""

from pathlib import Path

import pytest

PRESETS = ("mine.yaml", "kitchen.yaml")
"""The documents' names for a preset of the reader's."""


@pytest.fixture(scope="module")
def readers_folder(tmp_path_factory):
    """The reader's presets; it is the working folder meanwhile."""
    folder = tmp_path_factory.mktemp("reader")
    for name in PRESETS:
        (folder / name).write_text(f"name: {Path(name).stem}\nkeywords: [left, right]\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder
