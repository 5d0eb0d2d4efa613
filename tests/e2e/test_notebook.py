"""notebooks/inspect.ipynb: TFMA's and TFDV's own views of a run, executed as Jupyter does."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "inspect.ipynb"
SLICING, PLOT, SERIES = "SlicingMetricsViewer", "PlotViewer", "TimeSeriesViewer"


@pytest.fixture(scope="module")
def executed(pipeline, first_run):
    book = nbformat.read(NOTEBOOK, as_version=4)
    folder = pipeline.out / "tiny"
    before = os.environ.get("KWS_RUN")
    os.environ["KWS_RUN"] = str(folder)
    try:
        # An error in a cell is an error here.
        NotebookClient(
            book, timeout=300, resources={"metadata": {"path": NOTEBOOK.parent}}
        ).execute()
    finally:
        os.environ.pop("KWS_RUN") if before is None else os.environ.update(KWS_RUN=before)
    return book


def _outputs(book) -> str:
    return json.dumps([cell.get("outputs", []) for cell in book.cells])


def test_tfma_s_views_are_made_with_the_run_s_results(executed):
    text = _outputs(executed)
    for view in (SLICING, PLOT, SERIES):
        assert view in text, view
    states = executed.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    made = {one["model_name"]: one["state"] for one in states.values()}
    slices = {row["slice"] for row in made["SlicingMetricsModel"]["data"]}
    assert any("recordings" in name for name in slices)
    (matrix,) = made["PlotModel"]["data"]["multiClassConfusionMatrixAtThresholds"]["matrices"]
    assert sum(entry.get("numWeightedExamples", 0) for entry in matrix["entries"]) > 0
    assert len(made["TimeSeriesModel"]["data"]) >= 1


def test_tfdv_s_statistics_are_shown_for_two_splits(executed):
    text = _outputs(executed)
    assert "facets-overview" in text and "rms_dbfs" in text
    assert "No anomalies found" in text or "Anomaly short description" in text


def test_the_notebook_is_kept_without_outputs():
    book = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)
