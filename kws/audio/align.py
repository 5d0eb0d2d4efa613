"""Aligns a recording of a word: cuts it to exactly the length of a clip.

A longer recording is cut to its loudest section. The energy of a window is the sum of its squared
samples without what is below about 100 Hz (hum, rumble, offsets: often stronger than the word).
Windows are tried every `HOP_MS`, and at the very end. Of all windows about as loud as the loudest
(`PLATEAU`), which are those that contain the whole word, the middle one is taken, so that there
is as much room before the word as after it. Nothing is filtered, faded or scaled.

`Aligned` describes what was done with a recording, and how certain it is that it was right.
"""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kws.audio.clip import FLOOR_DBFS, to_dbfs

HOP_MS = 10
"""Step of the search for the loudest window."""
PLATEAU = 0.999
"""Windows with this share of the greatest energy count as equally loud."""
SMOOTHED_MS = 4
"""A moving average of this length is subtracted: -24 dB at 50 Hz, -12 dB at 100 Hz, 0 at 250 Hz."""


def sound_power(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """The squares of the samples without low frequencies: int16 `[n]` to float64 `[n]`."""
    half = max(1, sample_rate * SMOOTHED_MS // 2000)
    total = np.cumsum(np.pad(audio, (half + 1, half), "edge"), dtype=np.float64)
    smooth = (total[2 * half :] - total[: -2 * half]) / (2 * half)
    return np.square(audio - smooth[: audio.size])


def window_energies(
    audio: np.ndarray, samples: int, sample_rate: int
) -> tuple[np.ndarray, np.ndarray]:
    """The energy of every window that is tried.

    Args:
      audio: int16 `[n]`, n >= samples.
      samples: length of the window.
      sample_rate: Hz.

    Returns:
      int64 `[windows]`, where each begins, and float64 `[windows]`, its energy.
    """
    energy = np.concatenate([[0.0], np.cumsum(sound_power(audio, sample_rate))])
    last = audio.size - samples
    starts = np.append(np.arange(0, last, max(1, sample_rate * HOP_MS // 1000)), last)
    return starts, energy[starts + samples] - energy[starts]


def loudest_window(audio: np.ndarray, samples: int, sample_rate: int) -> int:
    """Where the loudest window begins; arguments as `window_energies`."""
    starts, energies = window_energies(audio, samples, sample_rate)
    best = int(energies.argmax())
    quieter = np.flatnonzero(energies < PLATEAU * energies[best])
    before, after = quieter[quieter < best], quieter[quieter > best]
    first = before[-1] + 1 if before.size else 0
    final = after[0] - 1 if after.size else starts.size - 1
    return int(starts[(first + final) // 2])


def window_start(audio: np.ndarray, samples: int, sample_rate: int) -> int:
    """Where `align`'s window begins; negative where the recording is padded in front.

    Args:
      audio: int16 `[n]`.
      samples: length of the window.
      sample_rate: Hz.
    """
    if audio.size > samples:
        return loudest_window(audio, samples, sample_rate)
    return -((samples - audio.size) // 2)


def align(audio: np.ndarray, samples: int, sample_rate: int) -> np.ndarray:
    """Cuts to the loudest window, or pads with zeros on both sides alike.

    Args:
      audio: int16 `[n]`.
      samples: the length wanted.
      sample_rate: Hz.

    Returns:
      int16 `[samples]`; the same array if it has that length already.
    """
    if audio.size == samples:
        return audio
    start = window_start(audio, samples, sample_rate)
    if audio.size > samples:
        return audio[start : start + samples]
    return np.pad(audio, (-start, samples - audio.size + start))


EDGE_MS = 30
"""The first and the last of a window: a word that is loud there goes on outside."""
LOUD_EDGE_DB = -20.0
"""An edge within this of the loudest such piece of the window touches the word."""
MUCH_OUTSIDE = 0.2
"""More than this share of a recording's energy outside its window: noise, or a second word."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Aligned:
    """What was done with one recording; a row of the table.

    Attributes:
      path: of the recording, in the folder.
      clip: path of what was written; "" if nothing was.
      original_ms: its duration.
      start_ms: where in it the window begins; negative: so much silence was put before it.
      level_before_dbfs: RMS of the recording.
      level_after_dbfs: RMS of the clip.
      outside_share: of the recording's energy (`kws.audio.align`), outside the window.
      edge_db: level of the louder edge against the loudest piece of such length in the window; of
        an edge inside the recording only.
      reason: why it was skipped, as one word; "" if it was not.
      detail: the same as a sentence.
    """

    path: str
    clip: str = ""
    original_ms: float = 0.0
    start_ms: float = 0.0
    level_before_dbfs: float = FLOOR_DBFS
    level_after_dbfs: float = FLOOR_DBFS
    outside_share: float = 0.0
    edge_db: float = FLOOR_DBFS
    reason: str = ""
    detail: str = ""

    @property
    def doubts(self) -> list[str]:
        """Why somebody should listen to it."""
        found = []
        if self.edge_db > LOUD_EDGE_DB:
            found.append(f"loud at the edge ({round(self.edge_db)} dB)")
        if self.outside_share > MUCH_OUTSIDE:
            found.append(f"{self.outside_share:.0%} of the energy outside")
        return found

    @property
    def doubt(self) -> float:
        """0 (a word in silence) to 1: the share outside, or the amplitude at the edge."""
        return max(self.outside_share, 10 ** (self.edge_db / 20))


def measure(audio: np.ndarray, samples: int, sample_rate: int, path: str, clip: str) -> Aligned:
    """Measures what `align` does.

    Args:
      audio: int16 `[n]`, not all the same.
      samples: length of the window.
      sample_rate: Hz.
      path: of the recording, as the row names it.
      clip: of the clip, as the row names it.
    """
    start = window_start(audio, samples, sample_rate)
    power = sound_power(audio, sample_rate)
    window = power[max(start, 0) : start + samples]
    edge = min(window.size, sample_rate * EDGE_MS // 1000)
    energy = np.concatenate([[0.0], np.cumsum(window)])
    pieces = energy[edge:] - energy[:-edge]
    edges = [pieces[0]] if start > 0 else []
    edges += [pieces[-1]] if start + samples < audio.size else []
    loudness = max(edges, default=0.0) / pieces.max()
    before, after = (
        float(to_dbfs(np.sqrt(np.square(part, dtype=np.float64).mean())))
        for part in (audio, align(audio, samples, sample_rate))
    )
    return Aligned(
        path=path,
        clip=clip,
        original_ms=1000 * audio.size / sample_rate,
        start_ms=1000 * start / sample_rate,
        level_before_dbfs=before,
        level_after_dbfs=after,
        outside_share=float(1 - window.sum() / power.sum()),
        edge_db=float(10 * np.log10(max(loudness, 10 ** (FLOOR_DBFS / 10)))),
    )


def write_table(rows: Sequence[Aligned], path: Path) -> None:
    """A CSV file with a header, a line a recording; figures of a skipped one are empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in dataclasses.fields(Aligned)])
        for row in rows:
            values = dataclasses.asdict(row)
            writer.writerow(
                ("" if row.reason else f"{value:.3f}") if isinstance(value, float) else value
                for value in values.values()
            )
