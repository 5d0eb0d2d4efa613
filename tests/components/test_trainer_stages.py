"""A taught and tuned model, from examples on disk through the Trainer to the int8 file."""

import json

import numpy as np

from components.trainer import trainer_module
from kws import labels
from kws.export.convert import MICRO_FULL_SCALE, Labelled, convert
from kws.export.params import ConversionParams
from kws.features import files
from kws.models.params import ModelParams
from kws.training import saved_model
from kws.training.params import DistillationParams, QuantizationAwareParams, TrainingParams
from tests.components.test_trainer_module import FEATURES, KEYWORDS, arguments, write_split


def test_a_taught_and_tuned_model_comes_out_of_the_trainer_and_goes_through_the_converter(tmp_path):
    root = tmp_path / "examples"
    write_split(root, "train", 24)
    write_split(root, "eval", 12)
    files.write(root, FEATURES)
    teacher = ModelParams(name="tiny_conv", options={"filters": 4})
    params = TrainingParams(
        epochs=2,
        batch_size=8,
        distillation=DistillationParams(teacher=teacher, teacher_epochs=1),
        quantization_aware=QuantizationAwareParams(epochs=1),
    )
    given = arguments(tmp_path)
    given.custom_config["training"] = params.to_json()
    trainer_module.run_fn(given)

    folder = tmp_path / "model" / "Format-Serving"
    training = json.loads((folder / "training.json").read_text())
    assert training["teacher"]["model"]["options"] == {"filters": 4}
    assert training["teacher"]["parameters"] > training["parameters"]
    assert 0 <= training["teacher"]["eval_accuracy"] <= 1
    assert len(training["history"]["epochs"]) == 2
    assert len(training["quantization_aware"]["epochs"]) == 1
    assert list((tmp_path / "model_run" / "teacher_1").glob("eval/events*"))
    assert not list((tmp_path / "checkpoints").iterdir())

    rng = np.random.default_rng(0)
    clips = Labelled(
        features=rng.integers(0, 600, (12, *FEATURES.feature_shape)).astype(np.uint16),
        label_index=np.arange(12) % 3,
    )
    conversion = convert(
        saved_model.load(folder),
        clips,
        clips,
        labels.label_list(KEYWORDS),
        FEATURES,
        ConversionParams(max_accuracy_drop=0.2),
    )
    figures = conversion.figures
    # Whatever a device may hear has a place in the input's range, as of any model.
    highest = (127 - figures.input_zero_point) * figures.input_scale
    assert abs(highest - MICRO_FULL_SCALE * 10 / 256) < figures.input_scale
    assert set(figures.operators) <= {"CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX"}
