"""What a container asks for: from the configuration into the compiled specification."""

import kfp
import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from kws.errors import KwsError
from pipeline.config import load
from pipeline.runners.kubeflow import compile
from pipeline.runners.kubeflow.compile import Target, compile_spec

TARGET = Target(image="image", root="gs://bucket/root", data="gs://bucket/words")
GPU = "{cpu: 4, memory: 16Gi, accelerator: {type: nvidia.com/gpu, count: 2}}"
MINING = "training.hard_negatives={epochs: 3, threshold: 0.3}"


def compiled(*overrides):
    return compile_spec(load("quickstart", [f"data.path={TARGET.data}", *overrides]), TARGET)


def resources(spec, node):
    """As the server's own proto has them."""
    deployment = pipeline_spec_pb2.PipelineDeploymentConfig()
    json_format.ParseDict(spec["deploymentSpec"], deployment)
    return deployment.executors[spec["components"][node]["executorLabel"]].container.resources


def test_they_are_in_the_specification_in_its_units():
    asked = resources(compiled(f"kubeflow.resources.Trainer={GPU}"), "Trainer")
    assert (asked.cpu_request, asked.cpu_limit) == (4, 4)
    assert round(asked.memory_limit * 10**9) == round(asked.memory_request * 10**9) == 16 * 2**30
    assert (asked.accelerator.type, asked.accelerator.count) == ("nvidia.com/gpu", 2)


def test_every_trainer_has_those_of_the_component_and_one_alone_its_own():
    spec = compiled(MINING, f"kubeflow.resources={{Trainer: {GPU}, FirstTrainer: {{cpu: 500m}}}}")
    assert resources(spec, "FirstTrainer").accelerator.count == 2
    assert resources(spec, "FirstTrainer").cpu_limit == 0.5
    assert resources(spec, "Trainer").cpu_limit == 4


def test_what_a_component_leaves_open_is_the_default():
    spec = compiled(
        "kubeflow.resources={default: {cpu: 1, memory: 4Gi}, AudioExampleGen: {memory: 8000M}}"
    )
    assert resources(spec, "MicroPusher").memory_limit == pytest.approx(4.294967296)
    ingestion = resources(spec, "AudioExampleGen")
    assert (ingestion.cpu_limit, ingestion.memory_limit) == (1, 8)
    assert not resources(spec, "MicroPusher").HasField("accelerator")


def test_a_limit_may_be_higher_than_what_is_set_aside():
    asked = resources(
        compiled("kubeflow.resources.Evaluator={cpu: 1, cpu_limit: 2.5}"), "Evaluator"
    )
    assert (asked.cpu_request, asked.cpu_limit, asked.memory_limit) == (1, 2.5, 0)


def test_nothing_is_asked_for_where_nothing_is_said():
    spec = compiled()
    executors = spec["deploymentSpec"]["executors"].values()
    assert not any("resources" in executor["container"] for executor in executors)


def test_the_kfp_client_loads_the_file(tmp_path):
    file = tmp_path / "kws.yaml"
    spec = compiled(f"kubeflow.resources.Trainer={GPU}")
    compile.write(spec, file)
    compile.parse(spec)
    assert kfp.components.load_component_from_file(str(file)).name == "quickstart"


def test_a_component_with_cores_of_its_own_has_not_the_limit_of_the_default():
    spec = compiled(
        "kubeflow.resources={default: {cpu: 1, cpu_limit: 2, memory: 1Gi}, Trainer: {cpu: 4}}"
    )
    assert resources(spec, "Trainer").cpu_limit == 4
    assert resources(spec, "MicroPusher").cpu_limit == 2


def test_what_does_not_go_with_the_default_is_refused_at_load_too():
    with pytest.raises(KwsError, match=r"resources.Trainer with resources.default: cpu_limit=1 is"):
        load("quickstart", ["kubeflow.resources={default: {cpu: 2}, Trainer: {cpu_limit: 1}}"])


@pytest.mark.parametrize(
    "override, sentence",
    [
        ("Training={cpu: 4}", "resources names 'Training', no component.*StatisticsGen.*Trainer"),
        ("ImportSchemaGen={cpu: 4}", "names 'ImportSchemaGen', no component of a compiled"),
        ("Trainer={cpus: 4}", "resources.Trainer.cpus: unknown key"),
        ("Trainer={cpu: four}", "cpu 'four' is no number of cores: write 4, 0.5 or 500m"),
        ("Trainer={cpu: 0}", "cpu '0' is no number of cores"),
        ("Trainer={memory: 16GB}", "memory '16GB' is no amount of memory: write 16Gi"),
        (
            "Trainer={memory: 4Gi, memory_limit: 2Gi}",
            "memory_limit=2Gi is less than the memory=4Gi",
        ),
        ("Trainer={accelerator: {count: 0}}", "accelerator.count: .*greater than or equal to 1"),
    ],
)
def test_what_the_cluster_would_refuse_is_refused_at_load(override, sentence):
    with pytest.raises(KwsError, match=sentence):
        load("quickstart", [f"kubeflow.resources.{override}"])
