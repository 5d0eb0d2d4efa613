"""The data of a report: everything that one finished run left, read by `pipeline.report`."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from kws.gates import Gate
from kws.report.confusion import ConfusionMatrix
from kws.report.data_statistics import Table


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepData:
    """A step of the run.

    Attributes:
      name: of the component.
      state: "done", "cached" or "failed".
      seconds: its duration.
      inputs: artifacts as `key #id`.
      outputs: artifacts as `key #id`.
      folders: of the outputs, relative to the run's folder.
      settings: what it was run with, by name.
    """

    name: str
    state: str
    seconds: float
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    folders: tuple[str, ...]
    settings: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EarlierBundle:
    """The bundle that was pushed last before this run.

    Attributes:
      version: of the bundle.
      evaluation: its `evaluation.json`.
    """

    version: str
    evaluation: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoredClip:
    """A test clip of one cell of the confusion matrix.

    Attributes:
      word: that was spoken ("" for silence and noise).
      speaker: of the clip.
      source: that the clip is from.
      augmentation: what was done to it.
      score: the posterior of the predicted label.
      audio: int16 `[samples]`, without its lead-in.
      sample_rate: Hz.
    """

    word: str
    speaker: str
    source: str
    augmentation: str
    score: float
    audio: np.ndarray
    sample_rate: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportData:
    """The data of one run's report.

    Attributes:
      name: of the pipeline.
      run_id: of the run.
      pushed_to: the bundle's folder; None if a gate refused the model.
      gates: all of them.
      labels: of the model's outputs.
      matrix: of the test clips; None for a model that is trained on scenes.
      confusion_examples: (label, prediction), as indices of labels -> clips: errors with the
        highest score first, correct predictions with the lowest score first.
      clip_slices: slicing key -> value -> (accuracy, clips).
      scene_sentences: what was measured on scenes; empty for a model of clips.
      streaming: the StreamingEvaluator's `evaluation.json`.
      events: rows of its `detections.jsonl`.
      posteriors: folder of `<stream>.npz` of the test split.
      streams: folder of `<stream>.wav` and `.json` of the test split.
      training: `training.json`.
      conversion: `conversion.json`.
      device: `micro.json`.
      ingest: `ingest.json`.
      figures: of the clips, by split.
      shifts: measured `drift` and `skew`.
      quarantine: rows of `quarantine.jsonl`.
      steps: in order of execution.
      earlier: None if no bundle was pushed before this run.
      lineage: the bundle's `lineage.json`; None if nothing was pushed, or not to a folder.
    """

    name: str
    run_id: str
    pushed_to: str | None
    gates: tuple[Gate, ...]
    labels: tuple[str, ...]
    matrix: ConfusionMatrix | None
    confusion_examples: dict[tuple[int, int], tuple[ScoredClip, ...]]
    clip_slices: dict[str, dict[str, tuple[float, int]]]
    scene_sentences: tuple[str, ...]
    streaming: dict[str, Any]
    events: tuple[dict[str, Any], ...]
    posteriors: Path
    streams: Path
    training: dict[str, Any]
    conversion: dict[str, Any]
    device: dict[str, Any]
    ingest: dict[str, Any]
    figures: dict[str, Table]
    shifts: dict[str, list[dict[str, Any]]]
    quarantine: tuple[dict[str, Any], ...]
    steps: tuple[StepData, ...]
    earlier: EarlierBundle | None
    lineage: dict[str, Any] | None = None
