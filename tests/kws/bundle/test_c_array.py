import subprocess
from pathlib import Path

import pytest

from kws.bundle import device_code

CONTENT = bytes(range(256)) + b"\x00\xff" * 5
PRINT = """
#include <stdio.h>
#include "model.h"
int main(void) {
  fwrite(g_kws_model, 1, g_kws_model_length, stdout);
  return (unsigned long long)(g_kws_model) % 16 != 0;
}
"""


@pytest.mark.parametrize(
    "compiler", [["gcc", "-std=c11", "-x", "c"], ["g++", "-std=c++11", "-x", "c++"]]
)
def test_the_source_compiles_as_c_and_as_cpp_and_holds_the_file(
    tmp_path: Path, compiler: list[str]
) -> None:
    title = "a name with a backslash \\"
    (tmp_path / "model.h").write_text(device_code.model_header(CONTENT, title))
    (tmp_path / "model.cc").write_text(device_code.model_source(CONTENT, title))
    (tmp_path / "print.c").write_text(PRINT)
    strict = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
    for name in ("model.cc", "print.c"):
        command = [*compiler, *strict, "-c", name, "-o", f"{name}.o"]
        subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run(["g++", "model.cc.o", "print.c.o", "-o", "print"], cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "print"], capture_output=True, check=True)
    assert printed.stdout == CONTENT
