"""Hooks of MkDocs: the documents beside docs/ become pages, and links to them lead there.

A link such as `../benchmarks/README.md` is right on GitHub, and to MkDocs it is outside the site.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGES = {
    "README.md": "about/readme.md",
    "benchmarks/README.md": "about/benchmarks.md",
    "CONTRIBUTING.md": "about/contributing.md",
    "CHANGELOG.md": "about/changelog.md",
    "THIRD_PARTY_NOTICES.md": "about/notices.md",
    "LICENSE": "about/license.txt",
}
"""File of the repository -> where it is in the site."""
_SOURCES = {page: source for source, page in PAGES.items()}
_LINK = re.compile(r"(?<=\]\()[^)#\s]+")


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Adds the documents that are not in docs/."""
    root = Path(config.config_file_path).parent
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(root / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Turns links between files of the repository into links between pages."""
    here = page.file.src_uri
    folder = posixpath.dirname(_SOURCES.get(here, f"docs/{here}"))

    def link(found: re.Match[str]) -> str:
        if "://" in found[0]:
            return found[0]
        target = posixpath.normpath(posixpath.join(folder, found[0]))
        target = PAGES.get(target, target.removeprefix("docs/"))
        return posixpath.relpath(target, posixpath.dirname(here) or ".")

    return _LINK.sub(link, markdown)
