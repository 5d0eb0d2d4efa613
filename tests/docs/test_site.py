"""The site of `make docs`: built strictly, once, and read as HTML.

What must be there is found without the site's tools: modules and functions by `ast`, the pages'
lists and tables by a CommonMark parser.
"""

import ast
import collections
import os
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.docs.blocks import FILES, ROOT

BUILD = """
import sys
sys.modules.update(dict.fromkeys(("kws", "tensorflow", "tfx", "apache_beam")))
from mkdocs.__main__ import cli
cli(["build", "--strict", "--site-dir", sys.argv[1]])
"""
"""A build that fails if it imports the product, whose sources are only to be read."""
BESIDE_DOCS = {
    "README.md": "about/readme.html",
    "benchmarks/README.md": "about/benchmarks.html",
    "CONTRIBUTING.md": "about/contributing.html",
    "THIRD_PARTY_NOTICES.md": "about/notices.html",
}
WITHOUT_API = {"demo"}
"""Packages of a verb alone."""
PACKAGES = sorted({file.parent.name for file in (ROOT / "kws").glob("*/__init__.py")} - WITHOUT_API)
WRITTEN = [file for file in FILES if file.parent.name != "reference"]
BLOCKS = {"h1", "h2", "h3", "h4", "li", "ol", "ul", "pre", "table", "tr", "td", "img"}


class Page(HTMLParser):
    """A page's anchors, and how many blocks of each kind its text has.

    Attributes:
      ids: of all elements.
      loaded: what a browser fetches for the page by itself.
      blocks: of the article; of a page without one, of all of it.
    """

    def __init__(self, html: str):
        super().__init__()
        self.ids: set[str] = set()
        self.loaded: list[str] = []
        self.blocks: collections.Counter[str] = collections.Counter()
        self._inside = "<article" not in html
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids.add(named.get("id") or "")
        if tag in ("script", "img", "iframe") and named.get("src"):
            self.loaded.append(named["src"] or "")
        if tag == "link" and named.get("rel") in ("stylesheet", "icon", "preconnect", "preload"):
            self.loaded.append(named["href"] or "")
        self._inside |= tag == "article"
        self.blocks[tag] += self._inside and tag in BLOCKS

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0 and "WARNING" not in output, output[-5000:]
    return folder


def text_below(html: str, anchor: str) -> str:
    """What a reader reads from an anchor on, for a while; white space is one space."""
    _, found, below = html.partition(f'id="{anchor}"')
    assert found, f"no {anchor}"
    text = re.sub(r"<[^>]*>", "", below[:20_000].partition(">")[2])
    return re.sub(r"\s+", " ", unescape(text))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_has_every_public_module_function_and_class(site, package):
    ids = Page((site / "reference" / f"{package}.html").read_text(encoding="utf-8")).ids
    wanted = set()
    for file in (ROOT / "kws" / package).rglob("*.py"):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        wanted.add(module)
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if (
                isinstance(node, ast.FunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and ast.get_docstring(node)
            ):
                wanted.add(f"{module}.{node.name}")
    assert wanted - ids == set()


@pytest.mark.parametrize(
    ("page", "anchor", "shown"),
    [
        ("kws", "kws.evaluate.evaluate_folder", "None, default: None ) – a text file with one"),
        ("kws", "kws.detect.load", "Raises: KwsError – there is no bundle"),
        ("features", "kws.features.params.FeatureParams.window_size_ms", "int | float = 30 ms"),
        ("detection", "kws.detection.detection.Detection", "score (float) – its averaged"),
        # Arguments that stand in the docstring of `__init__`.
        ("training", "kws.training.checkpoint.WeightAverage", "decay (float) – of a step"),
    ],
)  # fmt: skip
def test_arguments_and_fields_are_shown_with_types_and_texts(site, page, anchor, shown):
    html = (site / "reference" / f"{page}.html").read_text(encoding="utf-8")
    assert shown in text_below(html, anchor)


def test_no_page_loads_anything_from_the_network(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(FILES)
    loaded = {url for page in pages for url in Page(page.read_text(encoding="utf-8")).loaded}
    assert any(url.endswith(".css") for url in loaded)
    assert {url for url in loaded if re.match(r"(\w+:)?//", url)} == set()
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"""@import|url\(["']?(https?:)?//""", text), sheet


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_page_has_the_lists_and_tables_that_github_shows(site, file):
    name = file.relative_to(ROOT).as_posix()
    path = name.removeprefix("docs/").removesuffix(".md") + ".html"
    page = site / BESIDE_DOCS.get(name, "index.html" if name == "docs/README.md" else path)
    github = MarkdownIt("commonmark").enable("table").render(file.read_text(encoding="utf-8"))
    assert Page(page.read_text(encoding="utf-8")).blocks == Page(github).blocks


def test_links_between_files_of_the_repository_lead_to_pages(site):
    about = (site / "about/readme.html").read_text(encoding="utf-8")
    assert 'href="../data.html"' in about and 'href="license.txt"' in about
    assert 'href="about/benchmarks.html"' in (site / "results.html").read_text(encoding="utf-8")
    assert 'href="../data.html#' in (site / "extending/voice.html").read_text(encoding="utf-8")
    assert (site / "about/license.txt").read_bytes() == (ROOT / "LICENSE").read_bytes()
