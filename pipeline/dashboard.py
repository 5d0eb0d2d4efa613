"""What `kws dashboard` serves: runs from ML Metadata, TFMA's evaluations, TFDV's statistics."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

from kws.errors import KwsError
from kws.features import files
from kws.report import dashboard, data_statistics, templating
from kws.report.server import Answer, NotHere
from kws.splits import SPLITS
from pipeline.report import REPORT_FILE
from pipeline.runs import corpus_figures, listing

_KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_FILES = {
    f"/{name}": templating.TEMPLATES / name
    for name in ("style.css", "dashboard.js", "tfma_offline.js")
}


class Dashboard:
    """A site for `kws.report.server`: everything is read again at each request.

    Args:
      folder: of runs, or of one pipeline.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def __call__(self, path: str, query: Mapping[str, str]) -> Answer:
        if path == "/":
            return _html(
                dashboard.runs_page([record.to_dict() for record in listing.below(self._folder)])
            )
        if path in _FILES or path == "/tfma.js":
            file = _FILES[path] if path in _FILES else tfma_components()
            return Answer(content=file.read_bytes(), kind=_KINDS[file.suffix])
        match path.split("/")[1:]:
            case ["run", pipeline, number]:
                return _html(self._detail(f"{pipeline}#{number}", query))
            case ["run", pipeline, number, "report"]:
                record, newest = self._find(f"{pipeline}#{number}")
                if newest and (file := record.place.parent / REPORT_FILE).is_file():
                    return Answer(content=file.read_bytes(), policy=templating.POLICY)
        raise NotHere(f"There is nothing at {path}.")

    def _find(self, name: str) -> tuple[listing.Record, bool]:
        """A run, and whether it is the newest of its pipeline."""
        found = listing.below(self._folder)
        try:
            record = listing.choose(found, name)
        except KwsError as error:
            raise NotHere(f"{error.message}.") from error
        newest = next(one for one in found if one.place == record.place)
        return record, newest is record

    def _detail(self, name: str, query: Mapping[str, str]) -> str:
        record, newest = self._find(name)
        shown = record.to_dict()
        has_report = newest and (record.place.parent / REPORT_FILE).is_file()
        matrix, slices, labels = None, [], []
        if folder := _folder(record, "Evaluator", "evaluation"):
            from components.evaluator import results as evaluation

            matrix, slices = evaluation.confusion_plot(folder), evaluation.metrics_by_slice(folder)
            labels = files.read_labels(
                _needed(record, "MicroConverter", "model") / "Format-Serving"
            )
        return dashboard.run_page(
            shown,
            f"{dashboard.address(shown)}/report" if has_report else None,
            matrix,
            labels,
            slices,
            self._statistics(record, query),
        )

    def _statistics(self, record: listing.Record, query: Mapping[str, str]) -> dashboard.Statistics:
        own = _statistics(record)
        others = {
            one.name: found
            for one in listing.below(self._folder)
            # A run that took another's statistics has nothing new to show.
            if (found := _statistics(one)) and found != own
        }
        other = query.get("with", "") if query.get("with") in others else ""
        content = {split: file.read_bytes() for split, file in own.items()}
        parts = list(
            dict.fromkeys(p for one in content.values() for p in data_statistics.slices(one))
        )
        part = query.get("part") if query.get("part") in parts else None
        if other:
            beside = {f"{s} of {other}": f.read_bytes() for s, f in others[other].items()}
            content.update(beside)
        return dashboard.Statistics(
            features=data_statistics.features(content, part),
            datasets=list(content),
            parts=parts,
            part=part or "",
            others=list(others),
            other=other,
            span=_span(record),
        )


def tfma_components() -> Path:
    """TFMA's web components, as its package brings them; TFMA is not imported.

    Raises:
      KwsError: the package has none.
    """
    spec = importlib.util.find_spec("tensorflow_model_analysis")
    places: Sequence[str] = (spec.submodule_search_locations if spec else None) or ()
    for place in places:
        file = Path(place) / "static" / "vulcanized_tfma.js"
        if file.is_file():
            return file
    raise KwsError("tensorflow_model_analysis has no static/vulcanized_tfma.js")


def _statistics(record: listing.Record) -> dict[str, Path]:
    folder = _folder(record, "StatisticsGen", "statistics")
    found = (
        {s: folder / f"Split-{s}" / corpus_figures.STATISTICS_FILE for s in SPLITS}
        if folder
        else {}
    )
    return {split: file for split, file in found.items() if file.is_file()}


def _span(record: listing.Record) -> str:
    """Of the data that the run took; "" where it is not known."""
    for step in record.run.steps:
        if step.name == "AudioExampleGen" and step.outputs.get("examples"):
            span = step.custom_property("examples", "span")
            return "" if span is None else str(span)
    return ""


def _folder(record: listing.Record, step: str, key: str) -> Path | None:
    """Of an artifact of a step that was done and whose files are still there."""
    for one in record.run.steps:
        if one.name == step and one.state != "failed" and one.outputs.get(key):
            folder = one.folder(key)
            return folder if folder.is_dir() else None
    return None


def _needed(record: listing.Record, step: str, key: str) -> Path:
    folder = _folder(record, step, key)
    if folder is None:
        raise NotHere(f"What {step} of {record.name} made is gone.")
    return folder


def _html(text: str) -> Answer:
    return Answer(content=text.encode())
