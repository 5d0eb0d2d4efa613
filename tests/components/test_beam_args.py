"""What Beam is given: nothing is packed for workers on this machine, nothing wrong gets through."""

import re
import tempfile
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions, WorkerOptions
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import channel_utils, standard_artifacts

from components.beam_args import PACKAGES_ARE_THERE, complete
from components.spectrogram_transform.component import SpectrogramTransform
from components.spectrogram_transform.executor import Executor
from kws.errors import KwsError
from pipeline.config import Config
from tests.components.test_spectrogram_transform import CLEAN, PARAMS, artifact

DEFAULT = Config.model_fields["beam_pipeline_args"].default
DATAFLOW = ("--runner=DataflowRunner", "--project=p", "--region=r", "--temp_location=gs://b/tmp")


def test_a_component_run_leaves_nothing_in_the_folder_for_temporary_files(tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    source = artifact(tmp_path / "in", CLEAN)
    component = SpectrogramTransform(channel_utils.as_channel([source]), PARAMS, ("yes",))
    output = standard_artifacts.Examples()
    output.uri = str(tmp_path / "out")
    context = BaseBeamExecutor.Context(beam_pipeline_args=complete(DEFAULT))
    Executor(context).Do(
        {"examples": [source]}, {"transformed_examples": [output]}, component.exec_properties
    )
    assert (tmp_path / "out" / "Split-train").is_dir()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "flags",
    [
        (),
        DEFAULT,
        ("--direct_running_mode=multi_processing", "--direct_num_workers=2"),
        ("--runner=PortableRunner", "--job_endpoint=h:1", "--environment_type=EXTERNAL"),
    ],
)
def test_workers_that_have_this_environment_are_sent_no_packages(flags):
    assert complete(flags) == [*flags, PACKAGES_ARE_THERE]
    assert complete(complete(flags)) == complete(flags)


@pytest.mark.parametrize(
    "flag",
    ["--sdk_container_image=registry/kws:1", "--extra_package=kws.whl", "--setup_file=./setup.py"],
)
def test_how_the_user_sends_packages_is_left_as_it_is(flag):
    assert complete([*DATAFLOW, flag]) == [*DATAFLOW, flag]


def test_a_component_elsewhere_does_not_take_the_word_for_packages_of_a_pipeline_here():
    with pytest.raises(KwsError, match="DataflowRunner"):
        complete([*complete(DEFAULT), *DATAFLOW])
    image = "--sdk_container_image=registry/kws:1"
    combined = complete([*complete(DEFAULT), *DATAFLOW, image])
    assert PipelineOptions(combined).view_as(WorkerOptions).sdk_container_image == image[22:]


def test_a_runner_elsewhere_without_packages_is_refused_with_what_to_add():
    with pytest.raises(KwsError) as refused:
        complete(DATAFLOW)
    assert "DataflowRunner would not have this product's packages" in refused.value.message
    assert "--sdk_container_image" in refused.value.hint


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("--direct_num_wokers=2", "--direct_num_workers"),
        ("direct_num_workers=2", "--name=value"),
        ("--nothing_like_it=2", "--name=value"),
    ],
)
def test_a_misspelt_option_is_refused_and_the_nearest_one_is_named(flag, hint):
    with pytest.raises(KwsError) as refused:
        complete([flag])
    assert flag.lstrip("-").partition("=")[0] in refused.value.message
    assert hint in refused.value.hint


def examples() -> dict[str, list[str]]:
    """Every list of options in docs/scale.md, by its runner."""
    text = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
    found = {}
    for block in re.findall(r"(?:^ +- --.*\n)+", text, re.MULTILINE):
        flags = [line.strip().removeprefix("- ") for line in block.splitlines()]
        found[flags[0].removeprefix("--runner=")] = flags
    return found


@pytest.mark.parametrize("runner", ["Dataflow", "Flink", "Spark", "Portable", "Direct"])
def test_the_documented_options_are_beams_own_and_reach_its_views(runner):
    flags = examples()[f"{runner}Runner"]
    options = PipelineOptions(complete(flags))
    assert options.view_as(StandardOptions).runner == f"{runner}Runner"
    known = options.get_all_options(drop_default=True)
    for flag in flags:
        name, _, value = flag.removeprefix("--").partition("=")
        name = name.removeprefix("no_")
        assert name in known, flag
        if value and not isinstance(known[name], list | bool):
            assert str(known[name]) == value


def test_another_runner_may_have_options_of_its_own():
    flags = ["--runner=my.Runner", "--mine=1", "--extra_package=kws.whl"]
    assert complete(flags) == flags
