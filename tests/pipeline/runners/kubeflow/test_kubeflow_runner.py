"""A preset becomes a specification that Kubeflow Pipelines takes, with nothing lost on the way."""

import json

import kfp
import pytest
import tfx.v1 as tfx
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as compiler
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as container_utils
from tfx.types.channel_utils import union
from tfx.utils import import_utils, name_utils

from components.audio_example_gen.component import AudioExampleGen
from components.spectrogram_transform.component import SpectrogramTransform
from kws.errors import KwsError
from pipeline.cli import main
from pipeline.config import load
from pipeline.paths import Paths
from pipeline.pipeline import Recordings, build, components
from pipeline.runners.kubeflow import compile
from pipeline.runners.kubeflow.compile import Target, compile_spec
from pipeline.runners.kubeflow.tasks import ContainerHistory
from tests.pipeline.kubeflow_cluster import Cluster

TARGET = Target(image="registry.example/kws:1", root="gs://bucket/root", data="gs://bucket/words")
WARM = "training.warm_start=true"
MINING = "training.hard_negatives={epochs: 3, threshold: 0.3}"


def configured(preset="quickstart", *overrides):
    return load(preset, [f"data.path={TARGET.data}", *overrides])


def compiled(preset="quickstart", *overrides):
    return compile_spec(configured(preset, *overrides), TARGET)


@pytest.fixture(scope="module")
def spec():
    return compiled("quickstart", WARM, MINING)


@pytest.fixture(scope="module")
def nodes():
    config = configured("quickstart", WARM, MINING)
    bundles = f"{TARGET.root}/{config.name}/bundles"
    paths = Paths(out=compile.IN_CONTAINER, name=config.name)
    history = ContainerHistory(config, paths, bundles)
    made = components(config, paths, Recordings(folder=TARGET.data), history)
    return {node.id: node for node in made}


def container(spec, task):
    label = spec["components"][task]["executorLabel"]
    return spec["deploymentSpec"]["executors"][label]["container"]


def class_of(artifact):
    """What the container's own code makes of a compiled artifact type."""
    schema = pipeline_spec_pb2.ArtifactTypeSchema()
    json_format.ParseDict(artifact["artifactType"], schema)
    return import_utils.import_class_by_path(container_utils._retrieve_class_path(schema))


@pytest.mark.parametrize(
    "preset", ["quickstart", "keyword", "speech_commands_windowed", "trigger_word"]
)
def test_every_preset_compiles_to_a_strict_pipeline_spec(preset):
    keyword = ["keywords=[computer]"] if preset == "keyword" else []
    parsed = compile.parse(compiled(preset, *keyword))
    assert parsed.pipeline_info.name == preset.replace("_", "-")
    assert parsed.schema_version == "2.1.0"
    assert parsed.default_pipeline_root == TARGET.root


def test_an_unknown_field_is_not_let_through(spec):
    with pytest.raises(json_format.ParseError, match="nonsense"):
        compile.parse({**spec, "nonsense": 1})


def test_the_file_is_what_the_kfp_client_loads(spec, tmp_path):
    file = tmp_path / "kws.yaml"
    compile.write(spec, file)
    loaded = kfp.components.load_component_from_file(str(file))
    assert loaded.name == "quickstart"
    inputs = loaded.component_spec.inputs
    assert inputs["epochs"].default == load("quickstart").training.epochs
    assert inputs["epochs"].optional
    assert kfp.client.client._extract_pipeline_yaml(str(file)).pipeline_spec.root.dag.tasks


def test_every_component_survives_with_its_executor(spec, nodes):
    assert set(spec["root"]["dag"]["tasks"]) == set(nodes)
    for name, node in nodes.items():
        run = container(spec, name)
        assert run["image"] == TARGET.image
        assert run["command"] == ["python", "-m", "pipeline.runners.kubeflow.entrypoint"]
        path = run["args"][run["args"].index("--executor_class_path") + 1]
        assert path == name_utils.get_full_name(node.executor_spec.executor_class)
        assert import_utils.import_class_by_path(path) is node.executor_spec.executor_class


def test_every_artifact_type_is_found_again_in_the_container(spec, nodes):
    for name, node in nodes.items():
        definition = spec["components"][name]
        for key, channel in node.outputs.items():
            artifact = definition["outputDefinitions"]["artifacts"][key]
            assert class_of(artifact).TYPE_NAME == channel.type.TYPE_NAME
        for key, channel in node.inputs.items():
            artifact = definition["inputDefinitions"]["artifacts"][key]
            assert class_of(artifact).TYPE_NAME == channel.type.TYPE_NAME


def test_every_property_survives_with_its_value(spec, nodes):
    for name, node in nodes.items():
        given = spec["root"]["dag"]["tasks"][name].get("inputs", {}).get("parameters", {})
        for key, value in node.exec_properties.items():
            if isinstance(value, str | int | float):
                constant = given[key]["runtimeValue"]["constant"]
                assert constant == value or json.loads(constant) == json.loads(value), (name, key)


def test_every_input_comes_from_an_output_of_its_type(spec):
    for name, task in spec["root"]["dag"]["tasks"].items():
        for key, source in task.get("inputs", {}).get("artifacts", {}).items():
            from_task = source["taskOutputArtifact"]
            producer = spec["components"][from_task["producerTask"]]["outputDefinitions"]
            made = producer["artifacts"][from_task["outputArtifactKey"]]
            wanted = spec["components"][name]["inputDefinitions"]["artifacts"][key]
            assert made["artifactType"] == wanted["artifactType"]
            assert from_task["producerTask"] in task["dependentTasks"]


def test_nothing_is_a_resolver_which_the_open_source_server_does_not_run(spec):
    executors = spec["deploymentSpec"]["executors"].values()
    assert all(set(executor) == {"container"} for executor in executors)


def test_this_machine_runs_the_same_nodes_but_for_the_schema(nodes, tmp_path):
    config = configured("quickstart", WARM, MINING)
    local = build(config, Paths(out=tmp_path, name=config.name), tmp_path / "recordings")
    ours = {node.id: node for node in local.components}
    assert set(ours) ^ set(nodes) == {"ImportSchemaGen", "AudioSchemaGen"}
    for name in set(ours) & set(nodes):
        assert type(ours[name]) is type(nodes[name])
        assert set(ours[name].inputs) == set(nodes[name].inputs), name


def test_the_compiler_takes_no_union_of_channels():
    config = configured()
    examples = [AudioExampleGen(name, config.ingest).with_id(name) for name in ("one", "two")]
    transformed = SpectrogramTransform(
        union([node.outputs["examples"] for node in examples]), config.features, config.keywords
    )
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="union", pipeline_root="root", components=[*examples, transformed]
    )
    runner = compiler.KubeflowV2DagRunner(compiler.KubeflowV2DagRunnerConfig())
    with pytest.raises(TypeError, match="Only single Channel"):
        runner.run(pipeline, write_out=False)


def test_only_what_no_recording_reaches_is_answered_by_the_cache(spec):
    cached = {
        name
        for name, task in spec["root"]["dag"]["tasks"].items()
        if task.get("cachingOptions", {}).get("enableCache")
    }
    # All others look at what changes by itself, or have inputs from a task that does.
    assert cached == {"AudioSchemaGen"}


@pytest.mark.parametrize("count, fits", [(30, True), (80, False)])
def test_many_keywords_fit_into_argo_s_template_or_are_warned_of(tmp_path, capsys, count, fits):
    words = ",".join(f"word{number}" for number in range(count))
    file = tmp_path / "kws.yaml"
    with pytest.raises(SystemExit) as ended:
        main(
            ["kubeflow", "compile", "--preset", "speech_commands_windowed", "--image", "i",
             "--data", "gs://b/d", "--pipeline-root", "gs://b/r",
             "--set", f"keywords=[{words}]", "--out", str(file)]
        )  # fmt: skip
    said = capsys.readouterr().err
    assert not ended.value.code and ("Evaluator needs some" in said) != fits, said
    run = Cluster(yaml.safe_load(file.read_text()), tmp_path, version="2.5")
    checked = run.check_template("Evaluator")
    assert (checked is None) == fits, checked


def test_a_parameter_of_the_run_reaches_its_tasks(spec):
    tasks = spec["root"]["dag"]["tasks"]

    def bound(name):
        return {
            task
            for task, content in tasks.items()
            for value in content.get("inputs", {}).get("parameters", {}).values()
            if value.get("componentInputParameter") == name
        }

    given = spec["root"]["inputDefinitions"]["parameters"]
    assert {name: bound(name) for name in given} == {
        "data": {"AudioExampleGen", "AudioSynthesizer"},
        "epochs": {"FirstTrainer"},
        "learning_rate": {"FirstTrainer"},
        "base_model": {"BaseModel"},
        "min_accuracy": {"Evaluator"},
        "max_false_accepts_per_hour": {"StreamingEvaluator"},
        "max_miss_rate": {"StreamingEvaluator"},
        "max_flash_bytes": {"MicroValidator"},
        "max_arena_bytes": {"MicroValidator"},
        "destination": {
            *("PreviousStatistics", "StatisticsKeeper", "BaseModel", "ServedModel"),
            *("MicroPusher", "ModelKeeper"),
        },
    }
    assert given["data"]["defaultValue"] == TARGET.data
    assert given["max_miss_rate"]["defaultValue"] == 0.4


def test_the_container_is_told_the_types_of_the_parameters_too(spec):
    args = container(spec, "MicroValidator")["args"]
    told = json.loads(args[args.index("--json_serialized_inputs_spec_args") + 1])
    assert told["parameters"]["run_max_flash_bytes"] == {"parameterType": "NUMBER_INTEGER"}


def test_a_corpus_that_grows_has_the_span_as_a_parameter():
    spec = compiled("quickstart", "data.span_folder=day-{SPAN}", "data.last_spans=3")
    assert spec["root"]["inputDefinitions"]["parameters"]["span"]["defaultValue"] == -1
    task = spec["root"]["dag"]["tasks"]["AudioExampleGen"]["inputs"]["parameters"]
    assert "day-{SPAN}/*" in task["input_config"]["runtimeValue"]["constant"]


def artifact_inputs(spec, task):
    """Key -> "producer.key" of the artifacts that a task is given."""
    given = spec["root"]["dag"]["tasks"][task]["inputs"]["artifacts"]
    return {
        key: f"{value['producerTask']}.{value['outputArtifactKey']}"
        for key, value in ((key, source["taskOutputArtifact"]) for key, source in given.items())
    }


def test_a_search_gives_its_best_to_the_features_and_every_training():
    space = "{training.learning_rate: {min: 0.001, max: 0.01}, features.window_size_ms: [20, 30]}"
    spec = compiled("quickstart", f"tuning={{space: {space}}}", MINING)
    assert artifact_inputs(spec, "Tuner") == {
        "examples": "AudioExampleGen.examples", "more_examples": "AudioSynthesizer.examples",
    }  # fmt: skip
    for task in ("SpectrogramTransform", "FirstTrainer", "Trainer"):
        assert artifact_inputs(spec, task)["hyperparameters"] == "Tuner.best_hyperparameters"


def test_every_round_of_mining_learns_from_all_rounds_before_it():
    mining = "{epochs: 3, threshold: 0.3, rounds: 4}"  # the most that the configuration takes
    spec = compiled("quickstart", f"training.hard_negatives={mining}")
    given = artifact_inputs(spec, "Trainer")
    assert {key: value for key, value in given.items() if "example" in key} == {
        "examples": "SpectrogramTransform.transformed_examples",
        "more_examples": "HardNegativeMiner.examples",
        **{f"more_examples_{n}": f"HardNegativeMiner{n}.examples" for n in (2, 3, 4)},
    }
    assert artifact_inputs(spec, "HardNegativeMiner3")["model"] == "Trainer3.model"


@pytest.mark.parametrize(
    "overrides, message",
    [
        (["data.sources=[{voices: true}]"], "data.sources"),
    ],
)
def test_what_does_not_run_there_is_refused_with_a_way_out(overrides, message):
    with pytest.raises(KwsError, match=message) as error:
        compiled("quickstart", *overrides)
    assert error.value.hint


STORE = "kubeflow.store={endpoint: 'http://minio-service.kubeflow:9000'}"


def test_a_store_and_volumes_are_a_document_of_their_own(tmp_path):
    config = configured("quickstart", STORE, "kubeflow.volumes=[{claim: recordings, path: /data}]")
    target = Target(image="i", root="minio://mlpipeline/kws", data="/data/words")
    spec = compile_spec(config, target)
    file = tmp_path / "kws.yaml"
    compile.write(spec, file, config.kubeflow)
    loaded = kfp.client.client._extract_pipeline_yaml(str(file))
    executors = loaded.platform_spec.platforms["kubernetes"].deployment_spec.executors
    assert set(executors) == set(spec["deploymentSpec"]["executors"])
    assert json_format.MessageToDict(executors["Trainer_executor"]) == {
        "secretAsEnv": [
            {
                "secretName": "mlpipeline-minio-artifact",
                "keyToEnv": [
                    {"envVar": "AWS_ACCESS_KEY_ID", "secretKey": "accesskey"},
                    {"envVar": "AWS_SECRET_ACCESS_KEY", "secretKey": "secretkey"},
                ],
            }
        ],
        "pvcMount": [{"constant": "recordings", "mountPath": "/data"}],
    }
    assert container(spec, "Trainer")["env"] == [
        {"name": "AWS_DEFAULT_REGION", "value": "us-east-1"},
        {"name": "AWS_ENDPOINT_URL", "value": "http://minio-service.kubeflow:9000"},
    ]


@pytest.mark.parametrize("place", ["root", "data", "destination"])
def test_minio_without_a_server_is_refused(place):
    places = {"root": "gs://b/r", "data": "gs://b/d", "destination": "gs://b/b"}
    target = Target(image="i", **{**places, place: "minio://mlpipeline/x"})
    with pytest.raises(KwsError, match="minio://mlpipeline/x: containers have to know") as error:
        compile_spec(configured(), target)
    assert "kubeflow.store.endpoint=" in error.value.hint


def test_a_pipeline_root_that_containers_do_not_share_is_refused():
    with pytest.raises(KwsError, match="folder of this machine"):
        compile_spec(configured(), Target(image="i", root="out", data=TARGET.data))


@pytest.mark.parametrize("option", ["image", "pipeline-root", "data", "destination"])
def test_a_credential_in_a_place_is_refused_and_not_repeated(option):
    places = {"image": "i", "root": "gs://b/r", "data": "gs://b/d", "destination": "gs://b/b"}
    field = option.removeprefix("pipeline-")
    with pytest.raises(KwsError, match=f"--{option} looks like a user and password") as error:
        compile_spec(configured(), Target(**{**places, field: "s3://me:hunter2@bucket/x"}))
    assert "hunter2" not in str(error.value)
