"""Test clips of each cell of the confusion matrix, with their sound: errors above all.

TFMA keeps counts and no clips, so the model scores the test split's features once more: the same
file by the same predictor as in the Evaluator, a few seconds for ten thousand clips.
"""

import dataclasses
import heapq
import itertools
from pathlib import Path

from kws.audio import clip as clips
from kws.features.example import FEATURES_FIELD, LABEL_INDEX_FIELD
from kws.micro import feature_reader, load
from kws.report.page.facts import Confused
from pipeline import results

TEST = "Split-test"
MOST, MOST_RIGHT = 2, 1
"""Clips of a cell of the confusion matrix: of errors, and of what was right."""
_BATCH = 256


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class _Scored:
    """A clip; the one of the highest rank is shown first."""

    rank: float
    clip_id: str
    score: float


def confused(run: results.Run, model: Path) -> dict[tuple[int, int], tuple[Confused, ...]]:
    """(said, heard), as indices of the model's labels -> clips.

    Of errors the surest, of what was right the least sure: both are where a model can be mended.

    Args:
      run: finished.
      model: folder of its int8 model.
    """
    examples = Path(run.step("Evaluator").inputs["examples"][0].uri)
    scored = _scored(examples / TEST, model)
    wanted = {one.clip_id for some in scored.values() for one in some}
    # Among its inputs are others than clips, such as a Tuner's hyperparameters. Where another run's
    # clips judged the model, MicroPusher was given them, without their noisy copies.
    given = [*run.step("SpectrogramTransform").inputs.values()]
    given.append(run.step("MicroPusher").inputs.get("audio_examples", []))
    inputs = {Path(one.uri) / TEST: None for some in given for one in some}
    found = _clips([folder for folder in inputs if folder.is_dir()], wanted)
    made = {
        cell: tuple(
            _of(found[one.clip_id], one.score)
            for one in sorted(some, reverse=True)
            if one.clip_id in found
        )
        for cell, some in scored.items()
    }
    return {cell: some for cell, some in made.items() if some}


def _scored(folder: Path, model_folder: Path) -> dict[tuple[int, int], list[_Scored]]:
    import tensorflow as tf

    model = load.load_folder(model_folder)
    cells: dict[tuple[int, int], list[_Scored]] = {}
    records = feature_reader.records(folder)
    while batch := [tf.train.Example.FromString(r) for r in itertools.islice(records, _BATCH)]:
        raw = [one.features.feature[FEATURES_FIELD].bytes_list.value[0] for one in batch]
        for one, row in zip(batch, model.posteriors(model.stack(raw)), strict=True):
            said = int(one.features.feature[LABEL_INDEX_FIELD].int64_list.value[0])
            heard = int(row.argmax())
            score, right = float(row[heard]), said == heard
            clip_id = one.features.feature["clip_id"].bytes_list.value[0].decode()
            some = cells.setdefault((said, heard), [])
            rank = -score if right else score
            heapq.heappush(some, _Scored(rank=rank, clip_id=clip_id, score=score))
            if len(some) > (MOST_RIGHT if right else MOST):
                heapq.heappop(some)
    return cells


def _clips(folders: list[Path], wanted: set[str]) -> dict[str, clips.Clip]:
    found: dict[str, clips.Clip] = {}
    for record in itertools.chain.from_iterable(
        feature_reader.records(folder) for folder in folders
    ):
        if len(found) == len(wanted):
            break
        clip = clips.decode(record)
        if clip.clip_id in wanted:
            found[clip.clip_id] = clip
    return found


def _of(clip: clips.Clip, score: float) -> Confused:
    return Confused(
        word=clip.word,
        speaker=clip.speaker,
        source=clip.source,
        augmentation=clip.augmentation,
        score=score,
        audio=clip.audio[clip.lead_in_samples :],
        sample_rate=clip.sample_rate,
    )
