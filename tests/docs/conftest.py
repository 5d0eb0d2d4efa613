"""A folder in which the documents' file names are there."""

import pytest

from tests.docs.blocks import FILES, yaml_blocks

MINE = "name: mine\nkeywords: [left, right]\n"
"""What mine.yaml holds where a document does not say it."""


@pytest.fixture(scope="module")
def readers_folder(tmp_path_factory):
    """The reader's presets, those of the documents too; it is the working folder meanwhile."""
    folder = tmp_path_factory.mktemp("reader")
    for file in FILES:
        for name, _, text in yaml_blocks(file):
            if name is not None:
                (folder / name).write_text(text)
    (folder / "mine.yaml").write_text(MINE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder
