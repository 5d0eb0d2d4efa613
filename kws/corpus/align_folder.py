"""Align a folder: every recording in it as a clip of one length, and a table of what was done.

Written to a temporary folder that is renamed at the end: all of it is there, or nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import soundfile

from kws import storage
from kws.audio.align import Aligned, align, measure, write_table
from kws.audio.container import Unreadable
from kws.audio.read import read
from kws.corpus.listing import list_files, summary
from kws.corpus.source_yield import MAX_LOSS, USABLE, SourceYield
from kws.errors import KwsError
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER

TABLE = "align.csv"
LONG_FOLDERS = (BACKGROUND_FOLDER, NEGATIVES_FOLDER)
"""Their recordings are meant to be long."""
MIN_DURATION_MS, MAX_DURATION_MS = 50, 60_000
"""Shorter and longer recordings are skipped."""
SILENT_DBFS = -75.0


def align_folder(
    folder: Path,
    out: Path,
    *,
    clip_duration_ms: int = 1000,
    sample_rate: int = 16000,
    force: bool = False,
    finish: Callable[[Sequence[Aligned], Path], None] = lambda rows, written: None,
    progress: Callable[[Sequence[str]], Iterator[str]] = iter,
) -> list[Aligned]:
    """Aligns every recording below a folder, those of backgrounds and negatives left out.

    Args:
      folder: of any layout; its folders are kept, clips are named `<recording's name>.wav`.
      out: the folder to write: 16-bit WAV files and `align.csv`.
      clip_duration_ms: of every clip.
      sample_rate: Hz, of every clip.
      force: replace a folder that an earlier call wrote.
      finish: called with the rows and the folder while it is still a temporary one.
      progress: wraps the names.

    Returns:
      A row for each recording, by path, and then for each file that is left out.

    Raises:
      KwsError: nothing to read, most cannot be used, or `out` is not free.
    """
    listing = list_files(folder).recordings()
    names = [
        name
        for name in listing.files
        if not set(PurePosixPath(name).parts[:-1]) & set(LONG_FOLDERS)
    ]
    if not names:
        raise KwsError(
            f"there are no recordings in {folder}{summary(listing.left_out)}",
            hint="WAV, FLAC, Ogg, MP3 are read",
        )
    check_free(folder, out, force)
    clips = _clip_names(names)
    with storage.atomic_folder(out, replace=force) as temporary:
        rows, found = [], SourceYield()
        for name in progress(names):
            try:
                audio = read(
                    folder / name,
                    sample_rate,
                    max_duration_ms=MAX_DURATION_MS,
                    min_duration_ms=MIN_DURATION_MS,
                    silent_dbfs=SILENT_DBFS,
                ).audio
            except Unreadable as error:
                rows.append(Aligned(path=name, reason=error.reason, detail=error.detail))
                found.add(name, error.reason, error.detail)
                continue
            found.add(name, USABLE, "")
            samples = sample_rate * clip_duration_ms // 1000
            path = temporary / clips[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, align(audio, samples, sample_rate), sample_rate, "PCM_16")
            rows.append(measure(audio, samples, sample_rate, name, clips[name]))
        found.refuse_loss(str(folder), MAX_LOSS)
        rows += [
            Aligned(path=name, reason=why.reason, detail=why.detail)
            for name, why in listing.left_out.items()
        ]
        write_table(rows, temporary / TABLE)
        finish(rows, temporary)
    return rows


def check_free(folder: Path, out: Path, force: bool) -> None:
    """May `out` be written?

    Raises:
      KwsError: it holds files and would not be replaced, or lies within the recordings.
    """
    inside, outside = out.resolve(), folder.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        raise KwsError(f"{out} and {folder} are not apart", hint="name a folder somewhere else")
    if not out.exists():
        return
    if not out.is_dir():
        raise KwsError(f"{out} is a file", hint="name a folder")
    if any(out.iterdir()) and not force:
        raise KwsError(f"{out} is not empty", hint="name another folder, or give --force")
    if any(out.iterdir()) and not (out / TABLE).is_file():
        raise KwsError(
            f"{out} holds files that `kws align` did not write: there is no {TABLE}",
            hint="--force replaces its own folders only; name another",
        )


def _clip_names(names: Sequence[str]) -> dict[str, str]:
    """`a.flac` gives `a.wav`, unless there is one already: then `a.flac.wav`."""
    clips: dict[str, str] = {}
    taken = {name for name in names if name.endswith(".wav")}
    for name in names:
        clip = name if name in taken else str(PurePosixPath(name).with_suffix(".wav"))
        while clip != name and clip in taken:
            clip = f"{name}.wav" if clip != f"{name}.wav" else f"{clip}.wav"
        taken.add(clip)
        clips[name] = clip
    return clips
