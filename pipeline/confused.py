"""Test clips that the int8 model of a run takes for something else, with their sound.

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
MOST = 2
"""Clips of a cell of the confusion matrix."""
_BATCH = 256


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class _Error:
    score: float
    clip_id: str


def confused(run: results.Run, model: Path) -> dict[tuple[int, int], tuple[Confused, ...]]:
    """(said, heard), as indices of the model's labels -> the surest of its errors.

    Args:
      run: finished.
      model: folder of its int8 model.
    """
    transform = run.step("SpectrogramTransform")
    errors = _errors(transform.folder("transformed_examples") / TEST, model)
    wanted = {error.clip_id for some in errors.values() for error in some}
    folders = [Path(one.uri) / TEST for some in transform.inputs.values() for one in some]
    found = _clips(folders, wanted)
    made = {
        cell: tuple(
            _of(found[error.clip_id], error.score)
            for error in sorted(some, reverse=True)
            if error.clip_id in found
        )
        for cell, some in errors.items()
    }
    return {cell: some for cell, some in made.items() if some}


def _errors(folder: Path, model_folder: Path) -> dict[tuple[int, int], list[_Error]]:
    import tensorflow as tf

    model = load.load_folder(model_folder)
    errors: dict[tuple[int, int], list[_Error]] = {}
    records = feature_reader.records(folder)
    while batch := [tf.train.Example.FromString(r) for r in itertools.islice(records, _BATCH)]:
        raw = [one.features.feature[FEATURES_FIELD].bytes_list.value[0] for one in batch]
        for one, row in zip(batch, model.posteriors(model.stack(raw)), strict=True):
            said = int(one.features.feature[LABEL_INDEX_FIELD].int64_list.value[0])
            heard = int(row.argmax())
            if said != heard:
                clip_id = one.features.feature["clip_id"].bytes_list.value[0].decode()
                some = errors.setdefault((said, heard), [])
                heapq.heappush(some, _Error(score=float(row[heard]), clip_id=clip_id))
                if len(some) > MOST:
                    heapq.heappop(some)
    return errors


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
