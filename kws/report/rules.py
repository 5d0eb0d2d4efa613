"""Detectors side by side on one stream of posteriors: what each averages, and where it fires."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kws.report.drawing import GRID, INK, QUIET_INK, blank, heading, plain
from kws.streaming.detector import detect, keyword_indices

if TYPE_CHECKING:
    from kws.streaming.params import DetectorParams

WIDTH, ROW = 11.0, 0.42
DPI = 110
POSTERIOR, FIRES, SPAN = "#1f5fbf", "#c0273b", "#dce7f7"


def picture(
    times_ms: np.ndarray,
    posteriors: np.ndarray,
    labels: Sequence[str],
    detectors: Mapping[str, DetectorParams],
    said_ms: Sequence[tuple[int, int]],
    title: str,
) -> bytes:
    """A PNG.

    Args:
      times_ms, posteriors: `[n]` and `[n, labels]`.
      labels: with one keyword.
      detectors: by name, each with a row.
      said_ms: where the keyword was said, start and end.
      title: in the upper left corner.
    """
    height = 3.6 + ROW * len(detectors)
    figure = blank(WIDTH, height)
    heading(figure, title, "the model's posterior above, and where each rule fires below")
    left, wide = 0.25, 0.735
    above = figure.add_axes((left, 1 - 2.8 / height, wide, 2.0 / height))
    below = figure.add_axes((left, 0.45 / height, wide, ROW * len(detectors) / height))
    (keyword,) = keyword_indices(labels)
    for axes in (above, below):
        plain(axes)
        axes.set_xlim(0, times_ms[-1] / 1000)
        for start, end in said_ms:
            axes.axvspan(start / 1000, end / 1000, color=SPAN, lw=0)
    above.plot(times_ms / 1000, posteriors[:, keyword], color=POSTERIOR, lw=1.8)
    above.set_ylim(0, 1.02)
    above.grid(axis="y", color=GRID, lw=0.6)
    above.set_ylabel("posterior", color=QUIET_INK, size=9)
    above.tick_params(labelbottom=False)
    for start, end in said_ms:
        above.text((start + end) / 2000, 1.05, labels[keyword], color=INK, size=9, ha="center")
    for number, detector in enumerate(detectors.values()):
        fired = detect(times_ms, posteriors, detector, labels)
        below.axhline(number, color=GRID, lw=0.8, zorder=0)
        ends = [one.end_ms / 1000 for one in fired]
        below.plot(ends, [number] * len(ends), "v", color=FIRES, ms=8, clip_on=False)
    below.set_yticks(range(len(detectors)), list(detectors), color=INK)
    below.tick_params(axis="y", length=0, labelsize=9)
    below.set_ylim(len(detectors) - 0.5, -0.5)
    below.set_xlabel("seconds", color=QUIET_INK, size=9, labelpad=2)
    png = io.BytesIO()
    figure.savefig(png, dpi=DPI, format="png")
    return png.getvalue()
