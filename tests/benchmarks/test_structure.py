"""The size of a code base, counted in one that is written here."""

import pytest

from benchmarks import structure
from kws.errors import KwsError


def test_modules_lines_importers_and_names_are_counted(tmp_path, capsys):
    files = {
        "kws/__init__.py": "",
        "kws/sound.py": "import math\n\ndef read(): ...\n",
        "kws/deep/__init__.py": "",
        "kws/deep/one.py": "from kws import sound\nfrom kws.deep import two\n\ndef read(): ...\n",
        "kws/deep/two.py": "def read(): ...\n\nclass Clip: ...\n",
        "components/say.py": "def work():\n    from kws.sound import read\n\ndef read(): ...\n",
        "pipeline/run.py": "import components.say\n\nclass Run:\n    def read(self): ...\n",
        "tests/test_say.py": "from kws.deep import two\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = structure.measure(tmp_path)
    assert (found.modules, found.lines, found.median_lines) == (5, 18, 4)
    # `two` by `one`, `say` by `run`; `sound` has two importers, the others none.
    assert found.single_importer == 2
    assert found.repeated_names == {"read": 4}
    structure.main([str(tmp_path)])
    assert f"{tmp_path.name}: read 4" in capsys.readouterr().out


def test_a_folder_without_the_product_is_refused(tmp_path):
    with pytest.raises(KwsError, match=r"has no package kws or components"):
        structure.measure(tmp_path)
