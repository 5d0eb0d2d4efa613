"""A configuration's int8 model by the product's own parts, without TFX around them.

What a pipeline does from the sources to the int8 file (ingestion, noisy copies, features, training,
conversion), in one process and from the same sections of the configuration. The benchmarks that
train several models use it: a pipeline's gates, statistics and files are not what they are about.
"""

import pickle
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from components.audio_example_gen import ingest
from kws import features
from kws.audio import read
from kws.audio.clip import Clip
from kws.augment.mix import noisy_copy
from kws.augment.rooms import room_bank
from kws.augment.seed import generator
from kws.corpus import clip_spec
from kws.corpus.clip_spec import ClipSpec
from kws.corpus.clip_table import gather
from kws.corpus.folders import SOURCES_FILE, Corpus
from kws.corpus.ingest_summary import check_plan
from kws.corpus.plan import make_plan, mixing_key
from kws.corpus.splits import Part
from kws.export import convert
from kws.features import clip_features, model_input
from kws.labels import label_list
from kws.models import registry
from kws.runtime import load
from kws.splits import EVAL, TRAIN, Split
from kws.training import dataset
from kws.training.fit import History, fit
from kws.training.params import TrainingParams
from pipeline import source
from pipeline.config import Config

if TYPE_CHECKING:
    import tensorflow as tf

BATCH_CLIPS = 256


class Plan(NamedTuple):
    """The clips of all splits, in an order that mixes them, and the parts of the backgrounds."""

    specs: list[ClipSpec]
    backgrounds: dict[Split, list[Part]]


def datasets(config: Config, workers: int = 1) -> dict[Split, dataset.Dataset]:
    """The feature examples of train and eval: every clip, and its noisy copies."""
    plan, corpus = planned(config, workers)
    labels = label_list(config.keywords)
    frontend = features.create(config.features)
    found: dict[Split, dataset.Dataset] = {}
    for split in (TRAIN, EVAL):
        arrays, label_index, ids = [], [], []
        for batch in batches(heard(config, plan, corpus, split)):
            arrays.append(np.stack(clip_features.features_of(batch, frontend)))
            label_index += [labels.index(clip.label) for clip in batch]
            ids += [f"{clip.clip_id}:{clip.augmentation}" for clip in batch]
        found[split] = dataset.from_arrays(
            np.concatenate(arrays),
            np.array(label_index, np.int32),
            ids,
            labels,
            scale=model_input.input_scale(config.features),
        )
    return found


def planned(config: Config, workers: int = 1) -> tuple[Plan, Corpus]:
    """What ingestion makes of the configuration's sources; voices are synthesized if need be."""
    folder = source.prepare(config, workers)
    mixed = folder / SOURCES_FILE
    corpus = (
        Corpus.from_json(mixed.read_text()) if config.data.is_mix else Corpus.of_folder(str(folder))
    )
    params_json, seed = config.ingest.to_json(), config.ingest.seed
    # The steps of the component, without Beam.
    *batches, listed = ingest.list_corpus(corpus, params_json)
    inspection = ingest.Inspect(corpus, params_json)
    inspection.setup()
    inspected = (pair for batch in batches for pair in inspection.process(batch))
    report = gather(pickle.loads(packed) for _, packed in inspected)
    found, expected = listed.value.layout, listed.value.expected
    plan = make_plan(found, report, config.ingest)
    check_plan(plan, found, report, corpus, expected)
    specs = [spec for _, some in plan.places() for spec in some]
    specs.sort(key=lambda spec: mixing_key(seed, spec.name, spec.starts_ms, spec.seed))
    return Plan(specs, plan.overview.backgrounds), corpus


def int8_model(
    config: Config, data: dict[Split, dataset.Dataset], training: TrainingParams
) -> tuple[load.Int8Any, History, int]:
    """As `converted`, with the int8 model loaded."""
    made, history, parameters = converted(config, data, training)
    labels = label_list(config.keywords)
    int8 = load.of_content(made.model, labels, config.features, made.kind)
    return int8, history, parameters


def converted(
    config: Config, data: dict[Split, dataset.Dataset], training: TrainingParams
) -> tuple[convert.Conversion, History, int]:
    """Trains and converts; returns the files, the history, and the number of parameters."""
    labels = label_list(config.keywords)
    train, judged = data[TRAIN], data[EVAL]
    assert config.model is not None, "the configuration names no model"
    assert train.features is not None and judged.features is not None  # both are in memory
    model = registry.build(
        config.model,
        train.feature_shape,
        len(labels),
        seed=training.seed,
        context_frames=config.features.context_frames,
    )
    history = fit(model, train, judged, training)
    return int8_of(model, train, judged, config), history, model.count_params()


def int8_of(
    model: "tf.keras.Model", train: dataset.Dataset, judged: dataset.Dataset, config: Config
) -> convert.Conversion:
    """Converts a trained model; both datasets are in memory."""
    assert train.features is not None and judged.features is not None
    # As MicroConverter chooses them, evenly from all labels.
    count = config.conversion.representative_examples
    rng = np.random.default_rng(config.conversion.seed)
    present = [np.flatnonzero(train.label_index == i) for i in range(len(train.labels))]
    each = -(-count // sum(bool(len(rows)) for rows in present))
    chosen = np.concatenate([rng.permutation(rows)[:each] for rows in present])
    return convert.convert(
        model,
        convert.Labelled(features=train.features[chosen], label_index=train.label_index[chosen]),
        convert.Labelled(features=judged.features, label_index=judged.label_index),
        train.labels,
        config.features,
        config.conversion,
        config.model,
    )


def clean_clips(config: Config, plan: Plan, corpus: Corpus, split: Split) -> Iterator[Clip]:
    """Every clip of a split, without noisy copies."""
    for spec in plan.specs:
        if spec.split == split:
            path = corpus.path_of(spec.name) if spec.name else None
            yield clip_spec.make_clip(spec, path, config.ingest)


def heard(config: Config, plan: Plan, corpus: Corpus, split: Split) -> Iterator[Clip]:
    """Every clip of a split, each followed by its noisy copies, with nobody talking around it."""
    params = config.noisy_copies.without_talkers()
    rate = config.sample_rate
    noises = [_background(corpus, part, rate) for part in plan.backgrounds[split]]
    wanted = params.augment.rooms if params.augment.reverb_share else 0
    rooms = room_bank(params.seed, split, wanted, rate)
    for clip in clean_clips(config, plan, corpus, split):
        yield clip
        for number in range(params.copies_of(clip.label, split)):
            rng = generator(params.seed, "noisy", clip.clip_id, number)
            noise = noises[int(rng.integers(len(noises)))]
            yield noisy_copy(clip, noise, params, rng, rooms)


def _background(corpus: Corpus, part, rate: int) -> np.ndarray:
    path = corpus.path_of(part.path)
    whole_ms = read.duration_ms(path)
    start_ms = part.start_share * whole_ms
    return read.read_window(path, start_ms, part.end_share * whole_ms - start_ms, rate).audio


def batches(clips: Iterable[Clip]) -> Iterator[list[Clip]]:
    """Lists of `BATCH_CLIPS`, the last one shorter."""
    batch: list[Clip] = []
    for clip in clips:
        batch.append(clip)
        if len(batch) == BATCH_CLIPS:
            yield batch
            batch = []
    if batch:
        yield batch
