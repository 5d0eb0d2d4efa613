"""The accuracy of the zoo: eight command words, judged on people that no training heard.

    python -m benchmarks.zoo DATA [--only NAME ...] [--seeds 1 2 3] [--out FOLDER]
    python -m benchmarks.zoo DATA --learning-curve [--shares 12 25 50 100]

DATA is a folder in the layout of Speech Commands, as for `kws run --preset speech_commands
--data`. Each model of `ROWS` is trained once a seed by the product's own loop, on the data of the
preset `speech_commands_windowed` under `RECIPE`; converted to int8; and judged, float and int8, on
the clean recordings of the official validation list. Each training adds a line to `results.jsonl`
in the folder `--out` when it is done: killed and started again, the benchmark does what is missing,
and prints the tables. The examples are made once and kept there too (`examples-*.npz`).
`--learning-curve` trains one model on shares of the training speakers, in as many steps each.
"""

import dataclasses
import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness, recipe
from kws import features
from kws.corpus.splits import hash_percentage
from kws.features import clip_features, model_input
from kws.labels import SILENCE, label_list
from kws.models import cost, registry
from kws.runtime import load, tflm
from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split
from kws.training import dataset, stages
from kws.training.saved_model import FloatModel
from pipeline import config as configuration
from pipeline.config import Config

KIB = 1024
RESULTS_FILE = "results.jsonl"
CURVE_ROW = "tc_resnet8"

RECIPE = (
    "ingest.negatives_percentage=0",  # Speech Commands alone, but every word of it
    "ingest.lead_in_ms=0",
    "ingest.rare_word_clips=0",
    "ingest.unknown_percentage=100",
    "ingest.eval_percentage=5",
    "noisy_copies.copies=5",
    "noisy_copies.time_shift_ms=100",  # clips are judged, not streams
    "noisy_copies.snr_db=[3, 30]",
    "noisy_copies.augment={speed_share: 0.5, tempo_share: 0.25, pitch_share: 0.25, "
    "reverb_share: 0.2, equalizer_share: 0.5}",
    "training.weight_average=0.996",
    "training.label_smoothing=0",
    "training.weight_decay=0.05",
    "training.mixup_alpha=0.2",
    "conversion.max_accuracy_drop=1",  # the table says it; a pipeline's gate is not at stake
)
"""What differs from the preset in every row."""

MEL_10_MS = (
    "features.frontend=log_mel",
    "features.window_size_ms=25",
    "features.window_stride_ms=10",
    "training.time_mask_frames=16",
    "training.time_shift_frames=6",
)
MEL_20_MS = ("features.frontend=log_mel", "training.time_shift_frames=3")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A model of the table.

    Attributes:
      model: the configuration's section.
      steps: of training, to the nearest epoch.
      overrides: of the configuration, after `RECIPE`.
    """

    model: str
    steps: int
    overrides: tuple[str, ...] = ()


FIRST_CONVOLUTION = "first_kernel: [10, 10], first_stride: [4, 5]"
"""Of ds_cnn at a hop of 10 ms: what follows it has no more to do than at 20 ms."""

TAUGHT = (
    "training.distillation={teacher: {name: tc_resnet, options: {dropout: 0.2}}, teachers: 3, "
    "teacher_epochs: 10, share: 0.7, temperature: 2}"
)
"""By three of the row tc_resnet8, of the training's seed and the next two."""

NO_MIXUP = ("training.mixup_alpha=0",)
ROWS: dict[str, Row] = {
    "tiny_conv": Row(model="{name: tiny_conv}", steps=6000, overrides=(*MEL_10_MS, *NO_MIXUP)),
    "low_latency_conv": Row(
        model="{name: low_latency_conv}", steps=6000, overrides=(*MEL_10_MS, *NO_MIXUP)
    ),
    "tc_resnet8": Row(
        model="{name: tc_resnet, options: {dropout: 0.2}}", steps=6900, overrides=MEL_10_MS
    ),
    "mixed_net": Row(
        model="{name: mixed_net}",
        steps=6900,
        overrides=(*MEL_20_MS, "streaming.detector.clip_stride_ms=60"),
    ),
    "ds_cnn S": Row(model="{name: ds_cnn}", steps=4140, overrides=MEL_20_MS),
    "bc_resnet1": Row(model="{name: bc_resnet}", steps=2100, overrides=MEL_20_MS),
    "ds_cnn 64 x 5, taught": Row(
        model="{name: ds_cnn, options: {filters: 64, blocks: 5, " + FIRST_CONVOLUTION + "}}",
        steps=5520,
        overrides=(*MEL_10_MS, TAUGHT),
    ),
}
"""The last one, filters x blocks, fits 48 KiB."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examples:
    """Feature examples in memory, not yet sorted.

    Attributes:
      features: `[n, frames, channels]` in the frontend's type.
      label_index: int32 `[n]`.
      ids: clip and augmentation.
      speaker_percentage: float32 `[n]`, the place of the speaker between 0 and 100; what is no
        recording of a word has 0 and is in every share.
    """

    features: np.ndarray
    label_index: np.ndarray
    ids: np.ndarray
    speaker_percentage: np.ndarray

    def clips(self, percent: float = 100.0) -> int:
        """How many of a share of the speakers are no copies."""
        clean = np.char.endswith(self.ids, ":none")
        return int((clean & (self.speaker_percentage <= percent)).sum())

    def words(self, config: Config) -> "Examples":
        """Without silence."""
        chosen = self.label_index != label_list(config.keywords).index(SILENCE)
        arrays = dataclasses.asdict(self)
        return Examples(**{name: values[chosen] for name, values in arrays.items()})

    def dataset(self, config: Config, percent: float = 100.0) -> dataset.Dataset:
        """Those of a share of the speakers."""
        chosen = self.speaker_percentage <= percent
        return dataset.from_arrays(
            self.features[chosen],
            self.label_index[chosen],
            self.ids[chosen].tolist(),
            label_list(config.keywords),
            scale=model_input.input_scale(config.features),
            frontend=config.features.frontend,
        )


def config_of(row: Row, data: Path, settings: Sequence[str] = ()) -> Config:
    """The preset, the recipe, the row's own, and what the command line sets."""
    overrides = [*RECIPE, f"model={row.model}", *row.overrides, *settings]
    return configuration.load("speech_commands_windowed", overrides, data=data)


def file_of(config: Config, folder: Path) -> Path:
    """Where a configuration's examples are kept."""
    sections = {"keywords", "data", "ingest", "noisy_copies", "features"}
    told = json.dumps(config.model_dump(mode="json", include=sections), sort_keys=True)
    return folder / f"examples-{hashlib.sha256(told.encode()).hexdigest()[:12]}.npz"


def make_examples(configs: Sequence[Config], folder: Path) -> None:
    """Writes the examples of configurations that differ in their frontend alone: all clips of
    train and eval with their copies, the clean ones of test. Every clip is made once."""
    first = configs[0]
    labels = label_list(first.keywords)
    frontends = [features.create(config.features) for config in configs]
    plan, corpus = recipe.planned(first)
    clips = {split: recipe.heard(first, plan, corpus, split) for split in (TRAIN, EVAL)}
    clips[TEST] = recipe.clean_clips(first, plan, corpus, TEST)
    arrays: list[dict[str, np.ndarray]] = [{} for _ in configs]
    for split, heard in clips.items():
        computed: list[list[np.ndarray]] = [[] for _ in configs]
        label_index, ids, percentages = [], [], []
        for batch in recipe.batches(heard):
            for frontend, rows in zip(frontends, computed, strict=True):
                rows.append(np.stack(clip_features.features_of(batch, frontend)))
            label_index += [labels.index(clip.label) for clip in batch]
            ids += [f"{clip.clip_id}:{clip.augmentation}" for clip in batch]
            percentages += [hash_percentage(f"share {c.speaker}") if c.word else 0.0 for c in batch]
        for rows, own in zip(computed, arrays, strict=True):
            own[f"{split}_features"] = np.concatenate(rows)
            own[f"{split}_label_index"] = np.array(label_index, np.int32)
            own[f"{split}_ids"] = np.array(ids)
            own[f"{split}_speaker_percentage"] = np.array(percentages, np.float32)
    for config, own in zip(configs, arrays, strict=True):
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
            whole = Path(unfinished) / "examples.npz"
            np.savez(whole, **own)
            whole.rename(file_of(config, folder))


def examples_of(config: Config, folder: Path) -> dict[Split, Examples]:
    """What `make_examples` wrote."""
    names = [field.name for field in dataclasses.fields(Examples)]
    with np.load(file_of(config, folder)) as arrays:
        return {
            split: Examples(**{name: arrays[f"{split}_{name}"] for name in names})
            for split in SPLITS
        }


def judged(
    name: str,
    seed: int,
    percent: float,
    config: Config,
    examples: Mapping[Split, Examples],
    folder: Path,
    steps: int | None = None,
) -> dict[str, Any]:
    """Trains, converts and judges one model; returns its line of the results.

    Args:
      name, seed, percent: the row, of the initial weights, of the training speakers.
      config: of the row.
      examples: of all splits.
      folder: keeps checkpoints, so that a killed training goes on.
      steps: of training, in place of the row's.
    """
    labels, row = label_list(config.keywords), ROWS[name]
    train = examples[TRAIN].dataset(config, percent)
    # All silence of eval is one recording of a noise, and of test another: it must not choose.
    eval_data = examples[EVAL].words(config).dataset(config)
    assert config.model is not None and train.features is not None
    assert eval_data.features is not None
    an_epoch = train.steps_per_epoch(config.training.batch_size)
    training = config.training.model_copy(
        update={"epochs": max(1, round((steps or row.steps) / an_epoch)), "seed": seed}
    )
    model = registry.build(config.model, train.feature_shape, len(labels), seed=seed)
    checkpoints = folder / "checkpoints"
    history = stages.run(model, train, eval_data, training, checkpoint_dir=checkpoints).history
    converted = recipe.int8_of(model, train, eval_data, config)
    int8 = load.of_content(converted.model, labels, config.features, converted.kind)
    test = examples[TEST]
    floats = FloatModel(model, labels, config.features)
    answers = [m.posteriors(test.features).argmax(axis=1) for m in (floats, int8)]
    right = [int((answer == test.label_index).sum()) for answer in answers]
    seconds = sum(epoch.seconds for epoch in history.epochs)  # those before a kill as well
    silent = np.zeros((1, *int8.inferences(np.zeros((1, *train.feature_shape), np.int8)).shape[2:]))
    return {
        "model": name,
        "seed": seed,
        "speakers_percent": percent,
        "train_clips": examples[TRAIN].clips(percent),
        "train_examples": len(train),
        "steps": history.steps,
        "test_clips": len(test.label_index),
        "float_right": right[0],
        "int8_right": right[1],
        "eval_float_accuracy": converted.figures.float_accuracy,
        "eval_int8_accuracy": converted.figures.int8_accuracy,
        "parameters": model.count_params(),
        "macs": cost.macs(model),
        "int8_bytes": len(converted.model),
        "arena_bytes": tflm.run(converted.model, silent.astype(np.int8)).arena_bytes,
        "training_seconds": round(seconds, 1),
        "examples_per_second": round(history.steps * training.batch_size / seconds),
    }


def done(file: Path, settings: Sequence[str]) -> list[dict[str, Any]]:
    """The results so far of trainings with these settings of the command line."""
    lines = file.read_text().splitlines() if file.is_file() else []
    results = map(json.loads, lines)
    return [result for result in results if result.get("settings", []) == list(settings)]


def table(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The accuracy table in Markdown, of trainings on all speakers: mean (lowest to highest)."""
    yield (
        "| model | float | int8 | int8 - float | parameters | multiply-adds | int8 KiB | arena KiB "
        "| training |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    by_model = defaultdict(list)
    for line in results:
        if line["speakers_percent"] == 100:
            by_model[line["model"]].append(line)
    for name in (name for name in ROWS if name in by_model):
        lines = by_model[name]
        last = lines[-1]
        drops = [line["int8_right"] - line["float_right"] for line in lines]
        yield (
            f"| {name} | {_spread(lines, 'float_right')} | {_spread(lines, 'int8_right')} "
            f"| {100 * np.mean(drops) / last['test_clips']:+.2f} "
            f"(least {100 * min(drops) / last['test_clips']:+.2f}) "
            f"| {last['parameters']:,} | {last['macs'] / 1e6:.2f} M "
            f"| {max(line['int8_bytes'] for line in lines) / KIB:.1f} "
            f"| {max(line['arena_bytes'] for line in lines) / KIB:.1f} "
            f"| {np.mean([line['training_seconds'] for line in lines]):.0f} s |"
        )


def curve(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The learning curves in Markdown."""
    yield "| model | speakers | clips | float | int8 |"
    yield "|---|---|---|---|---|"
    shares = defaultdict(list)
    for line in results:
        shares[line["model"], line["speakers_percent"]].append(line)
    partial = {name for name, percent in shares if percent < 100}
    for (name, percent), lines in sorted(shares.items()):
        if name in partial:
            yield (
                f"| {name} | {percent:g} % | {lines[-1]['train_clips']:,} "
                f"| {_spread(lines, 'float_right')} | {_spread(lines, 'int8_right')} |"
            )


def _spread(lines: Sequence[Mapping[str, Any]], key: str) -> str:
    values = [100 * line[key] / line["test_clips"] for line in lines]
    return f"{np.mean(values):.2f} % ({min(values):.2f}-{max(values):.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains what is missing and prints the tables."""
    parser = harness.Parser("zoo", __doc__)
    parser.add_argument("data", type=Path, help="in the layout of Speech Commands")
    parser.add_argument("--only", nargs="*", choices=tuple(ROWS), help="models; none: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="of the weights")
    parser.add_argument(
        "--learning-curve", action="store_true", help=f"{CURVE_ROW} on shares of the speakers"
    )
    parser.add_argument(
        "--shares", nargs="+", type=float, default=[12, 25, 50, 100], help="in per cent"
    )
    parser.add_argument("--steps", type=int, help="of each training; none: as the tables have it")
    parser.add_argument("--set", action="append", default=[], help="as of `kws run`, for all")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/zoo"), help="keeps results and examples"
    )
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / RESULTS_FILE
    names = args.only or ([CURVE_ROW] if args.learning_curve else list(ROWS))
    shares = args.shares if args.learning_curve else [100.0]
    settings = [*args.set, *([f"steps={args.steps}"] if args.steps else [])]
    missing = {}
    for name in names:
        config = config_of(ROWS[name], args.data, args.set)
        if not file_of(config, args.out).is_file():
            missing[file_of(config, args.out)] = config
    if missing:
        make_examples(list(missing.values()), args.out)
    held, examples = Path(), dict[Split, Examples]()
    for seed in args.seeds:
        for percent in shares:
            for name in names:
                key = (name, seed, percent)
                if key in {
                    (x["model"], x["seed"], x["speakers_percent"]) for x in done(file, settings)
                }:
                    continue
                config = config_of(ROWS[name], args.data, args.set)
                if held != file_of(config, args.out):
                    held = file_of(config, args.out)
                    examples = examples_of(config, args.out)  # one at a time: they are large
                line = judged(name, seed, percent, config, examples, args.out, args.steps)
                line["settings"] = settings
                with file.open("a") as results:
                    results.write(json.dumps(line) + "\n")
                print(json.dumps(line), flush=True)
    results = done(file, settings)
    print("\n".join(curve(results) if args.learning_curve else table(results)))


if __name__ == "__main__":
    harness.start(main)
