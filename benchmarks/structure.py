"""The size of the code base: modules, lines, and how far each module and each name is used.

    python -m benchmarks.structure [TREE ...]

A TREE is a checkout; several are shown side by side. Counted are the modules of the product (kws,
components, pipeline and schemas, without `__init__.py`). A module with one importer is part of that
importer unless it is one of several choices. A name that many classes and functions share is hard
to find; those of interchangeable choices (`build`, `Executor`, ...) and methods are not counted.
"""

import ast
import collections
import dataclasses
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import harness
from kws.errors import KwsError

PACKAGES = ("kws", "components", "pipeline", "schemas")
MOST_USES = 3
"""Definitions of one name, beyond which it is counted."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Structure:
    """What `measure` counted.

    Attributes:
      modules, lines: of the product.
      median_lines: of a module.
      single_importer: modules that exactly one other module of the product imports.
      repeated_names: public classes and functions by name, where more than `MOST_USES` share it.
    """

    modules: int
    lines: int
    median_lines: float
    single_importer: int
    repeated_names: dict[str, int]


def measure(tree: Path) -> Structure:
    """Counts what is in a checkout.

    Raises:
      KwsError: it is not a checkout of the product.
    """
    files = {_module(path, tree): path for path in _files(tree)}
    if not files:
        raise KwsError(
            f"{tree} has no package {' or '.join(PACKAGES)}", hint="name the folder of a checkout"
        )
    parsed = {name: ast.parse(path.read_text()) for name, path in files.items()}
    importers = collections.Counter(
        imported for name, code in parsed.items() for imported in _imports(code, files) - {name}
    )
    names = collections.Counter(
        node.name
        for code in parsed.values()
        for node in code.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    )
    counted = [name for name, path in files.items() if path.name != "__init__.py"]
    lines = [len(files[name].read_text().splitlines()) for name in counted]
    return Structure(
        modules=len(counted),
        lines=sum(lines),
        median_lines=statistics.median(lines),
        single_importer=sum(importers[name] == 1 for name in counted),
        repeated_names={name: n for name, n in names.most_common() if n > MOST_USES},
    )


def _files(tree: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((tree / package).rglob("*.py"))


def _module(path: Path, tree: Path) -> str:
    parts = path.relative_to(tree).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(code: ast.Module, known: dict[str, Path]) -> set[str]:
    """The modules that a module imports, inside functions too."""
    found = set()
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                found.add(inside if inside in known else node.module)
    return found & set(known)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one column a checkout."""
    parser = harness.Parser("structure", __doc__)
    parser.add_argument("trees", nargs="*", type=Path, help="checkouts; this one without any")
    args = parser.parse_args(arguments)
    trees = [tree.resolve() for tree in args.trees] or [Path(__file__).resolve().parents[1]]
    found = [measure(tree) for tree in trees]
    print(f"{'':28}" + "".join(f"{tree.name[-20:]:>22}" for tree in trees))
    for title, values in (
        ("modules", [f"{one.modules:,}" for one in found]),
        ("lines", [f"{one.lines:,}" for one in found]),
        ("median lines of a module", [f"{one.median_lines:g}" for one in found]),
        ("modules with one importer", [f"{one.single_importer:,}" for one in found]),
        (f"names used over {MOST_USES} times", [f"{len(one.repeated_names)}" for one in found]),
    ):
        print(f"{title:28}" + "".join(f"{value:>22}" for value in values))
    for tree, one in zip(trees, found, strict=True):
        print(f"{tree.name}: {', '.join(f'{name} {n}' for name, n in one.repeated_names.items())}")


if __name__ == "__main__":
    harness.start(main)
