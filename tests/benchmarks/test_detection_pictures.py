"""The pictures of docs/detection.md are drawn by the matching and the rules that they explain."""

import io

import numpy as np
from PIL import Image

from benchmarks.detection_pictures import held, judged


def _rgb(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_hits_are_green_and_false_accepts_red():
    drawn = _rgb(judged())
    assert (np.abs(drawn - (0x1B, 0x7F, 0x5C)).sum(axis=2) == 0).sum() > 100
    assert (np.abs(drawn - (0xC0, 0x27, 0x3B)).sum(axis=2) == 0).sum() > 300


def test_every_rule_has_a_row_with_detections():
    red = np.abs(_rgb(held()) - (0xC0, 0x27, 0x3B)).sum(axis=2) == 0
    rows = np.flatnonzero(red.any(axis=1))
    assert 1 + int((np.diff(rows) > 5).sum()) == 6
