"""Beam's options of single components reach them: locally, and in the compiled specification."""

import dataclasses

import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions, WorkerOptions
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent

from components.beam_args import PACKAGES_ARE_THERE
from components.registry.component import RegistryKeeper, RegistryLookup
from kws.errors import KwsError
from pipeline import component_names
from pipeline.config import load
from pipeline.paths import Paths
from pipeline.pipeline import build
from pipeline.runners.kubeflow.compile import Target, compile_spec

TARGET = Target(image="image", root="gs://bucket/root", data="gs://bucket/words")
FLINK = "--runner=FlinkRunner"
IMAGE = "--sdk_container_image=image"
OF_ONE = f"beam_pipeline_args_of.SpectrogramTransform=[{FLINK}, --parallelism=8, {IMAGE}]"
VARIANTS = (
    ("quickstart", "training.hard_negatives={epochs: 3, threshold: 0.3, rounds: 3}"),
    ("quickstart", "tuning={space: {training.learning_rate: {min: 0.001, max: 0.01}}}"),
    ("trigger_word", "seed=1"),
)


def local(tmp_path, preset, *overrides):
    config = load(preset, overrides)
    pipeline = build(config, Paths(out=tmp_path, name=config.name), tmp_path)
    return {node.id: node for node in pipeline.components}


def test_a_component_s_options_come_after_the_pipeline_s_so_that_they_win(tmp_path):
    made = local(tmp_path, "quickstart", OF_ONE, "beam_pipeline_args=[--runner=DirectRunner]")
    options = made["SpectrogramTransform"].executor_spec.beam_pipeline_args
    general = ["--runner=DirectRunner", PACKAGES_ARE_THERE]
    assert options[:2] == general and options[-3:] == [FLINK, "--parallelism=8", IMAGE]
    assert made["StatisticsGen"].executor_spec.beam_pipeline_args == [
        "--runner=DirectRunner", PACKAGES_ARE_THERE
    ]  # fmt: skip


def test_the_compiled_container_has_them_as_its_last_arguments():
    spec = compile_spec(load("quickstart", [OF_ONE, f"data.path={TARGET.data}"]), TARGET)
    executors = spec["deploymentSpec"]["executors"]
    args = executors["SpectrogramTransform_executor"]["container"]["args"]
    assert args[-6:] == [
        "--runner=DirectRunner", PACKAGES_ARE_THERE,
        "--sdk_container_image=", FLINK, "--parallelism=8", IMAGE,
    ]  # fmt: skip
    assert FLINK not in executors["Evaluator_executor"]["container"]["args"]


def test_workers_elsewhere_do_not_look_for_the_image_of_those_here(tmp_path):
    wheel = f"beam_pipeline_args_of.Evaluator=[{FLINK}, --extra_package=kws.whl]"
    made = local(tmp_path, "quickstart", wheel)
    options = PipelineOptions(made["Evaluator"].executor_spec.beam_pipeline_args)
    assert not options.view_as(WorkerOptions).sdk_container_image
    assert options.view_as(StandardOptions).runner == "FlinkRunner"
    here = PipelineOptions(made["StatisticsGen"].executor_spec.beam_pipeline_args)
    assert here.view_as(WorkerOptions).sdk_container_image == "none"


def test_a_component_elsewhere_needs_our_packages_there(tmp_path):
    with pytest.raises(KwsError, match="FlinkRunner would not have this product's packages"):
        local(tmp_path, "quickstart", f"beam_pipeline_args_of.Evaluator=[{FLINK}]")


@pytest.mark.parametrize(
    "override, sentence",
    [
        ("beam_pipeline_args_of.Trainer=[--a=b]", "names 'Trainer', which runs no Beam: there are"),
        ("beam_pipeline_args_of.Spectrograms=[--a=b]", "names 'Spectrograms'.*AudioExampleGen"),
        ("beam_pipeline_args_of.Evaluator=[runner=Direct]", r"of.Evaluator: 'runner.*--name=value"),
        ("beam_pipeline_args=[runner=Direct]", "beam_pipeline_args: 'runner=Direct' is no option"),
    ],
)
def test_what_would_have_no_effect_is_refused(override, sentence):
    with pytest.raises(KwsError, match=sentence):
        load("quickstart", [override])


@pytest.mark.parametrize("preset, override", VARIANTS)
def test_the_names_are_those_of_the_pipeline(preset, override, tmp_path):
    built = local(tmp_path, preset, override)
    assert len(built) > 5
    for name, node in built.items():
        component = component_names.component_of(name)
        if not isinstance(node, RegistryLookup | RegistryKeeper):
            assert component == type(node).__name__
        known = (
            component_names.BEAM if isinstance(node, BaseBeamComponent) else component_names.OTHERS
        )
        assert component in known


@pytest.mark.parametrize("retrain", [False, True])
def test_the_names_are_those_of_the_compiled_pipeline_too(retrain):
    spec = compile_spec(
        load("quickstart", [f"data.path={TARGET.data}", "training.warm_start=true"]),
        dataclasses.replace(TARGET, retrain=retrain),
    )
    names = {component_names.component_of(name) for name in spec["root"]["dag"]["tasks"]}
    assert names <= {*component_names.BEAM, *component_names.OTHERS}
