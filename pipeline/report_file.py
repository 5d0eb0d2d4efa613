"""Writes the report of a run to its file, whole or not at all."""

from pathlib import Path

from rich.console import Console

from kws import storage
from kws.errors import KwsError
from pipeline.report import gather

REPORT_FILE = "report.html"


def write(metadata: Path, file: Path) -> int:
    """Writes the page of the newest run; a reader of the file sees the old one or the new one.

    Args:
      metadata: a place for `pipeline.metadata_store.store`, in the run's folder.
      file: where to.

    Returns:
      The bytes that were written.

    Raises:
      KwsError: see `gather`.
    """
    from kws.report.page import page

    content = page.render(gather(metadata)).encode()
    storage.atomic_write(file, content)
    return len(content)


def write_after_run(console: Console, metadata: Path) -> None:
    """Writes `report.html` beside the metadata and says where it is.

    The run has been judged and pushed by now: whatever goes wrong here is a line and no more.
    """
    file = metadata.parent / REPORT_FILE
    try:
        write(metadata, file)
    except Exception as error:
        reason = (
            error.message if isinstance(error, KwsError) else f"{type(error).__name__}: {error}"
        )
        console.print(f"No report: {reason}", highlight=False, markup=False)
        return
    console.print(f"Report: {file} (kws report writes it anew)", highlight=False, soft_wrap=True)
