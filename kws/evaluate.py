"""Clip by clip: a bundle's int8 model on any folder of recordings, through its own frontend."""

import collections
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kws import features
from kws.audio import container
from kws.audio.align import align
from kws.audio.read import Unreadable, read
from kws.bundle.destinations import bundle_folder
from kws.corpus.listing import LeftOut, list_files, read_text, summary
from kws.corpus.source_yield import MAX_LOSS, USABLE, SourceYield
from kws.errors import KwsError
from kws.labels import RESERVED, SILENCE, UNKNOWN, canonical, label_of, refuse_near_matches
from kws.report.confusion import ConfusionMatrix

if TYPE_CHECKING:
    from kws.runtime.int8_file import Int8File

BATCH_CLIPS = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipReport:
    """A model judged on clips.

    Attributes:
      bundle: the folder of the version.
      data: the folder of the recordings.
      matrix: the truth by the folders' names against the label with the highest posterior.
      words_as_unknown: how many clips of each word that is no keyword counted as `_unknown_`.
      unusable: file -> why it could not be used; none of them is in the matrix.
      notes: file -> what is odd about it; it was used (`kws.audio.container.Note`).
      hidden_files: hidden files and folders, which nobody looked at.
      ignored_files: in folders with a _ at the front, which hold long recordings and no clips.
      absent_labels: labels of the model without a single clip here.
    """

    bundle: Path
    data: Path
    matrix: ConfusionMatrix
    words_as_unknown: dict[str, int]
    unusable: dict[str, str]
    notes: dict[str, list[str]]
    ignored_files: int
    hidden_files: int
    absent_labels: list[str]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "bundle": str(self.bundle),
            "data": str(self.data),
            "clips": self.matrix.total,
            **self.matrix.to_dict(),
            "words_as_unknown": self.words_as_unknown,
            "unusable": self.unusable,
            "unusable_count": len(self.unusable),
            "notes": self.notes,
            "ignored_files": self.ignored_files,
            "hidden_files": self.hidden_files,
            "absent_labels": self.absent_labels,
        }


def evaluate_folder(
    bundle: str | os.PathLike[str],
    data: str | os.PathLike[str],
    *,
    file_list: str | os.PathLike[str] | None = None,
    model: "Int8File | None" = None,
) -> ClipReport:
    """Evaluates a bundle on recordings that lie in a folder for each word.

    The data is in Speech Commands layout, or has one folder a label with `_unknown_` and
    `_silence_` among them. A word that is no keyword counts as `_unknown_`. `_background_noise_`,
    `_negatives_` and any other folder with a _ at the front are ignored. A recording of another
    length is cut to its loudest window or padded on both sides, as for training.

    Args:
      bundle: see `bundle_folder`; where the model is given, only what the report calls it.
      data: the folder of folders.
      file_list: a text file with one `<word>/<file>` a line (e.g. `testing_list.txt`): only these
        are evaluated. Without it all are, those that a model was trained on among them.
      model: the bundle's model, if it is loaded already.

    Raises:
      KwsError: no bundle, no data, a file of the list is missing, a folder that looks like a
        label's, or a label of whose recordings most cannot be used.
    """
    folder, root = Path(bundle), Path(data)
    if model is None:
        folder = bundle_folder(bundle)
        model = _load_model(folder)
    labels = list(model.labels)
    frontend = features.create(model.feature_params)
    params = model.feature_params
    found = _find_clips(root, file_list)
    unusable = {name: str(why) for name, why in found.unusable.items()}
    words_of = {name: PurePosixPath(name).parts[0] for name in found.names}
    refuse_near_matches({word: str(root / name) for name, word in words_of.items()}, labels)
    yields = {label_of(word, labels): SourceYield() for word in words_of.values()}

    words: collections.Counter[str] = collections.Counter()
    notes: dict[str, list[str]] = {}
    truth: list[int] = []
    predicted: list[np.ndarray] = []

    def clips() -> Iterator[tuple[int, np.ndarray]]:
        for name, word in words_of.items():
            label = label_of(word, labels)
            try:
                recording = read(root / name, params.sample_rate)
            except Unreadable as error:
                unusable[name] = str(error)
                yields[label].add(name, error.reason, error.detail)
                continue
            if recording.notes:
                notes[name] = container.to_text(recording.notes)
            yields[label].add(name, USABLE, "")
            if label == UNKNOWN and word != UNKNOWN:
                words[word] += 1
            audio = recording.audio
            yield labels.index(label), align(audio, params.clip_samples, params.sample_rate)

    for indices, audio in _batches(clips(), BATCH_CLIPS):
        posteriors = model.posteriors(frontend.compute_batch(audio))
        truth += indices
        predicted.append(posteriors.argmax(axis=1))
    for label, one in yields.items():
        one.refuse_loss(f"{root}: label {label!r}", MAX_LOSS)
    matrix = ConfusionMatrix.of(truth, np.concatenate(predicted), labels)
    counts = matrix.counts.sum(axis=1)
    return ClipReport(
        bundle=folder,
        data=root,
        matrix=matrix,
        words_as_unknown=dict(sorted(words.items())),
        unusable=unusable,
        notes=notes,
        ignored_files=found.ignored,
        hidden_files=found.hidden,
        absent_labels=[label for label, count in zip(labels, counts, strict=True) if not count],
    )


def _load_model(folder: Path) -> "Int8File":
    from kws.runtime.load import load_folder

    return load_folder(folder)


class _Clips(NamedTuple):
    """`<word>/<file>` of every clip, files that are not a clip, and how many were ignored."""

    names: list[str]
    unusable: dict[str, LeftOut]
    ignored: int
    hidden: int


def _find_clips(root: Path, file_list: str | os.PathLike[str] | None) -> _Clips:
    if not root.is_dir():
        raise KwsError(f"{root} is no folder", hint="give a folder of folders: <word>/<file>.wav")
    listing = list_files(root).recordings()
    clips: list[str] = []
    misplaced = dict(listing.left_out)
    ignored = 0
    for name in listing.files:
        folder, _, file = name.partition("/")
        if folder.startswith("_") and folder not in RESERVED and file:
            refuse_near_matches({folder: str(root / name)}, ())
            ignored += 1
        elif not file or "/" in file:
            misplaced[name] = LeftOut("misplaced", "expected <word>/<file>")
        else:
            clips.append(name)
    if file_list is not None:
        lines = read_text(file_list).splitlines()
        wanted = {canonical(line.strip().replace("\\", "/")) for line in lines if line.strip()}
        missing = sorted(wanted - set(map(canonical, clips)))
        if missing:
            raise KwsError(
                f"{file_list} names {missing[0]!r}, which is not in {root} "
                f"({len(missing)} of {len(wanted)} lines are missing)"
            )
        clips = [name for name in clips if canonical(name) in wanted]
        misplaced = {}
    if not clips:
        raise KwsError(
            f"{root} holds no recordings of words{summary(misplaced)}",
            hint=f"expected <word>/<file>.wav, with {UNKNOWN} and {SILENCE} for what is no keyword",
        )
    return _Clips(clips, misplaced, ignored, listing.hidden)


def _batches(
    clips: Iterator[tuple[int, np.ndarray]], size: int
) -> Iterator[tuple[list[int], np.ndarray]]:
    indices: list[int] = []
    audio: list[np.ndarray] = []
    for index, samples in clips:
        indices.append(index)
        audio.append(samples)
        if len(audio) == size:
            yield indices, np.stack(audio)
            indices, audio = [], []
    if audio:
        yield indices, np.stack(audio)
