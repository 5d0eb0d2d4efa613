"""What the page is made from: plain data of one finished run, gathered by `pipeline.report`."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from kws.gates import Gate
from kws.report.confusion import ConfusionMatrix
from kws.report.data_statistics import Table


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepFacts:
    """A step of the run.

    Attributes:
      name: the component.
      state: "done", "cached" or "failed".
      seconds: it took.
      inputs, outputs: artifacts as `key #id`.
      folders: of the outputs, below the run's folder.
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
class Earlier:
    """The bundle that was pushed last before this run.

    Attributes:
      version: of the bundle.
      evaluation: its `evaluation.json`.
    """

    version: str
    evaluation: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Confused:
    """A test clip of a cell of the confusion matrix.

    Attributes:
      word: what was really said ("" where nothing was).
      speaker, source, augmentation: of the clip.
      score: the posterior of the label that was heard.
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
class Facts:
    """Everything that the page says.

    Attributes:
      name: of the pipeline.
      run_id: of the run.
      pushed_to: where the bundle is; None if a gate refused.
      gates: all of them.
      labels: of the model's outputs.
      matrix: of the test clips; None for a model of scenes.
      confused: (said, heard), as indices of labels -> clips: errors, the surest first, and what was
        right, the least sure first.
      clip_slices: slicing key -> value -> (accuracy, clips).
      scene_sentences: what was measured on scenes, else empty.
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
      earlier: None where this is the first that could be pushed.
      lineage: the bundle's `lineage.json`; None where nothing was pushed, or not to a folder.
    """

    name: str
    run_id: str
    pushed_to: str | None
    gates: tuple[Gate, ...]
    labels: tuple[str, ...]
    matrix: ConfusionMatrix | None
    confused: dict[tuple[int, int], tuple[Confused, ...]]
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
    steps: tuple[StepFacts, ...]
    earlier: Earlier | None
    lineage: dict[str, Any] | None = None

    @property
    def blessed(self) -> bool:
        return bool(self.gates) and all(gate.passed for gate in self.gates)
