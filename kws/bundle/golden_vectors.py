"""Test vectors: clips with what the device must put into the model and get out of it.

`test_vectors/index.json` lists them; each has `<clip_id>.features.npy` (the frontend's own type),
`<clip_id>.input.bin` and `<clip_id>.output.bin` (int8, as they lie in the tensors) and, where the
recording is at hand, `<clip_id>.wav`. Of a streaming model these are the inputs and the outputs of
all steps of the clip, one after another, from the start of a stream.
"""

import dataclasses
import hashlib
import json
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kws.errors import KwsError
from kws.features.example import FeatureExample
from kws.runtime.int8_file import Int8File

FOLDER = "test_vectors"
INDEX = "index.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TestVector:
    """One clip.

    Attributes:
      clip_id: of the clip.
      label: of the clip.
      features: `[frames, channels]`.
      model_input: int8 `[inferences, frames, channels]`; a windowed model needs one inference.
      model_output: int8 `[inferences, labels]`.
      audio: int16 `[samples]`, or None; the features are those of the frames after the lead-in.
      sample_rate: of the audio, Hz.
      lead_in_ms: sound at the audio's beginning that only adapts the frontend.
    """

    __test__ = False  # the name is no test's

    clip_id: str
    label: str
    features: np.ndarray
    model_input: np.ndarray
    model_output: np.ndarray
    audio: np.ndarray | None = None
    sample_rate: int = 16000
    lead_in_ms: int = 0


def choose(examples: Iterable[FeatureExample], count: int) -> list[FeatureExample]:
    """At most `count` unaugmented examples, label by label in turn, the same in whatever order.

    Falls back on augmented ones where there are no others.
    """
    by_label: dict[tuple[bool, int], dict[str, FeatureExample]] = {}
    for example in examples:
        key = (example.augmentation != "none", example.label_index)
        rows = by_label.setdefault(key, {})
        rows[hashlib.sha256(example.clip_id.encode()).hexdigest()] = example
        if len(rows) > count:
            del rows[max(rows)]
    in_turn = [
        (key[0], turn, key[1], example)
        for key, rows in by_label.items()
        for turn, (_, example) in enumerate(sorted(rows.items()))
    ]
    in_turn.sort(key=lambda item: item[:3])
    clean = [item[3] for item in in_turn if not item[0]]
    return (clean or [item[3] for item in in_turn])[:count]


def make(model: Int8File, examples: Iterable[FeatureExample]) -> list[TestVector]:
    """The model's own input and output on each example."""
    vectors = []
    for example in examples:
        inputs = model.inferences(model.quantize(example.features[None]))
        vectors.append(
            TestVector(
                clip_id=example.clip_id,
                label=example.label,
                features=example.features,
                model_input=inputs[0],
                model_output=model.run_inferences(inputs)[0],
            )
        )
    return vectors


def write(folder: Path, vectors: Iterable[TestVector]) -> None:
    """Writes `test_vectors/` into the bundle's folder."""
    target = folder / FOLDER
    target.mkdir()
    index = []
    for number, vector in enumerate(vectors):
        stem = f"{number:03d}_{vector.clip_id}"
        row = {
            "clip_id": vector.clip_id,
            "label": vector.label,
            "features": f"{stem}.features.npy",
            "input": f"{stem}.input.bin",
            "output": f"{stem}.output.bin",
        }
        np.save(target / row["features"], vector.features)
        (target / row["input"]).write_bytes(vector.model_input.astype(np.int8).tobytes())
        (target / row["output"]).write_bytes(vector.model_output.astype(np.int8).tobytes())
        extra: dict[str, object] = {}
        if vector.audio is not None:
            extra = {"audio": f"{stem}.wav", "lead_in_ms": vector.lead_in_ms}
            _write_wav(target / f"{stem}.wav", vector.audio, vector.sample_rate)
        index.append({**row, **extra})
    (target / INDEX).write_text(json.dumps(index, indent=2) + "\n")


def verify(folder: Path, model: Int8File) -> int:
    """Runs the bundle's vectors through its model; returns how many there are.

    Raises:
      KwsError: a vector's input or output is not what the model makes of its features.
    """
    index = json.loads((folder / FOLDER / INDEX).read_text())
    for row in index:
        features = np.load(folder / FOLDER / row["features"])
        inputs = model.inferences(model.quantize(features[None]))
        outputs = model.run_inferences(inputs)
        for name, values in ((row["input"], inputs), (row["output"], outputs)):
            if (folder / FOLDER / name).read_bytes() != values.tobytes():
                raise KwsError(
                    f"{folder / FOLDER / name} is not what model.tflite makes of {row['features']}",
                    hint="the bundle was changed, or this TensorFlow computes otherwise",
                )
    return len(index)


def _write_wav(path: Path, audio: np.ndarray, sample_rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.ascontiguousarray(audio, "<i2").tobytes())
