"""The first half of the pipeline over a corpus that grows by spans: what drifts is told, by TFX's
own runner, metadata and caching."""

import dataclasses
import json
import wave

import numpy as np
import pytest
import tfx.v1 as tfx

import schemas
from components.audio_example_gen.component import AudioExampleGen
from components.example_validator.component import StrictExampleValidator
from components.registry.component import RegistryKeeper, RegistryLookup
from components.statistics.options import statistics_options
from kws.corpus.params import IngestParams, ShiftParams, ValidationParams
from kws.errors import KwsError
from pipeline.cli import main
from pipeline.runs import corpus_figures, results

INGEST = IngestParams(keywords=("yes", "no"), unknown_percentage=0, silence_percentage=0)
SPEAKERS = {"train": 30, "eval": 8, "test": 8}


def record(folder, level_db):
    """A span: bursts of tone for words, by speakers whom the lists give to the splits."""
    rng = np.random.default_rng(round(-level_db))
    listed = {"eval": [], "test": [], "train": []}
    for word, hz in (("yes", 500), ("no", 900)):
        (folder / word).mkdir(parents=True)
        for split, speakers in SPEAKERS.items():
            for i in range(speakers):
                name = f"{word}/{split}{i}_nohash_0.wav"
                listed[split].append(name)
                audio = np.zeros(16000)
                start = rng.integers(1000, 6000)
                tone = np.sin(2 * np.pi * hz * np.arange(8000) / 16000)
                audio[start : start + 8000] = tone * 10 ** (rng.normal(level_db, 3) / 20)
                audio += rng.standard_normal(16000) * 1e-4
                with wave.open(str(folder / name), "wb") as file:
                    file.setparams((1, 2, 16000, 0, "NONE", ""))
                    file.writeframes((audio * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    (folder / "validation_list.txt").write_text("\n".join(listed["eval"]))
    (folder / "testing_list.txt").write_text("\n".join(listed["test"]))


@dataclasses.dataclass
class Validation:
    """Ingestion, statistics and validation, as the pipeline wires them."""

    folder: object

    @property
    def metadata(self):
        return self.folder / "run" / "metadata.sqlite"

    def run(self, drift="report"):
        params = ValidationParams(drift=ShiftParams(mode=drift), skew=ShiftParams(mode="off"))
        ingested = AudioExampleGen(
            input_base=str(self.folder / "data"), params=INGEST, span_folder="span-{SPAN}"
        )
        examples = ingested.outputs["examples"]
        statistics = tfx.components.StatisticsGen(
            examples=examples, stats_options=statistics_options()
        )
        path = schemas.write_audio_schema(self.folder / "schema", INGEST.keywords, INGEST, params)
        schema = tfx.components.ImportSchemaGen(schema_file=str(path))
        bundles = str(self.folder / "run" / "bundles")
        previous = RegistryLookup(bundles, current=statistics.outputs["statistics"])
        validated = StrictExampleValidator(
            statistics=statistics.outputs["statistics"],
            schema=schema.outputs["schema"],
            keywords=INGEST.keywords,
            params=params,
            examples=examples,
            previous_statistics=previous.outputs["statistics"],
        )
        keeper = RegistryKeeper(
            bundles,
            statistics=statistics.outputs["statistics"],
            anomalies=validated.outputs["anomalies"],
        )
        self.metadata.parent.mkdir(exist_ok=True)
        pipeline = tfx.dsl.Pipeline(
            pipeline_name="validation",
            pipeline_root=str(self.folder / "run" / "artifacts"),
            components=[ingested, statistics, schema, previous, validated, keeper],
            enable_cache=True,
            metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                str(self.metadata)
            ),
        )
        tfx.orchestration.LocalDagRunner().run(pipeline)
        return results.newest_run(self.metadata)


@pytest.fixture(scope="module")
def validation(tmp_path_factory):
    return Validation(tmp_path_factory.mktemp("drift"))


def test_the_first_span_has_nothing_to_drift_from(validation):
    record(validation.folder / "data" / "span-1", level_db=-12)
    assert corpus_figures.shifts(validation.run()) == {"drift": [], "skew": []}


def test_an_unchanged_corpus_is_not_validated_again(validation):
    assert validation.run().nothing_done


def test_a_quieter_span_stops_a_gated_run_again_and_again(validation):
    record(validation.folder / "data" / "span-2", level_db=-32)
    for _ in range(2):  # what was refused is not what the next try is compared with
        with pytest.raises(Exception, match=r"span 2 against train of span 1: rms_dbfs") as error:
            validation.run(drift="gate")
        assert isinstance(error.value, KwsError) or "limit 0.3" in str(error.value)


def test_without_the_gate_it_is_told_and_then_nothing_is_done_again(validation):
    run = validation.run()
    assert [step.name for step in run.steps if step.state == "done"] == [
        "StrictExampleValidator", "RegistryKeeper",
    ]  # fmt: skip
    drift = corpus_figures.shifts(run)["drift"]
    (level,) = [shift for shift in drift if shift["feature"] == "rms_dbfs"]
    assert level["distance"] > 0.9 > level["limit"]
    assert "span 2 against train of span 1" in level["what"]
    again = validation.run()
    assert again.nothing_done and corpus_figures.shifts(again)["drift"] == drift


def test_the_figures_of_the_corpus_are_shown(validation, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["data", str(validation.metadata.parent), "--json"])
    assert not stop.value.code
    shown = json.loads(capsys.readouterr().out)
    for split, speakers in SPEAKERS.items():
        by_label = shown["splits"][split]["label"]
        assert {label: figures["clips"] for label, figures in by_label.items()} == {
            "yes": speakers, "no": speakers,
        }  # fmt: skip
        whole = shown["splits"][split]["all"]["all"]
        assert whole["minutes"] == pytest.approx(2 * speakers / 60)
        # A tone of mean level -32 dB over half the clip: 3 dB less as a sine, 3 dB less by half.
        assert whole["rms_dbfs"] == pytest.approx(-38, abs=2)
    with pytest.raises(SystemExit):
        main(["data", str(validation.folder)])
    screen = capsys.readouterr().out
    assert "By label" in screen and "drift: train of span 2" in screen
