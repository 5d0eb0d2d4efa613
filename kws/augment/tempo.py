"""Tempo: faster or slower at the same pitch, by WSOLA.

W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for
high quality time-scale modification of speech", ICASSP 1993. The output is laid frame by frame at
an even hop, under Hann windows that overlap by half. Each frame is read near its nominal place in
the input, where it best continues the frame before it: at the highest normalised correlation with
what followed that frame in the input. So periods of the voice join to periods, and the pitch stays.
"""

import numpy as np

FRAME_MS = 25.0
SEARCH_MS = 10.0
"""Either way: together a period of 50 Hz, the lowest voice."""


def change_tempo(audio: np.ndarray, factor: float, sample_rate: int) -> np.ndarray:
    """Says it `factor` times as fast; pitch and formants stay.

    Args:
      audio: float32 or int16 `[samples]`.
      factor: 2 is half the time. Speech stays natural from about 0.7 to 1.5.
      sample_rate: Hz.

    Returns:
      float32 `[round(samples / factor)]`, in the units of the input.

    Raises:
      ValueError: the factor is not positive.
    """
    if not factor > 0:
        raise ValueError(f"tempo factor={factor}: must be above 0")
    source = audio.astype(np.float32)
    length = round(len(source) / factor)
    if factor == 1.0 or not length:
        return source[:length]
    hop = int(sample_rate * FRAME_MS / 2000)
    search = int(sample_rate * SEARCH_MS / 1000)
    frame = 2 * hop
    frames = length // hop + 2
    # Periodic Hann windows at half a frame's distance sum to one everywhere.
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)).astype(np.float32)
    # Zeros before, so that the first half frame is faded in by nothing; after, for the last search.
    before = hop + search
    last_read = before + int((frames - 1) * hop * factor) + 2 * (search + frame)
    padded = np.zeros(max(last_read, before + len(source)), np.float32)
    padded[before : before + len(source)] = source
    energy = np.concatenate([[0.0], np.cumsum(np.square(padded, dtype=np.float64))])
    output = np.zeros((frames + 1) * hop, np.float32)
    place = search
    for number in range(frames):
        if number:
            nominal = search + round(number * hop * factor)
            place = (
                nominal
                - search
                + _best_match(
                    padded[place + hop : place + hop + frame],
                    padded[nominal - search : nominal + search + frame],
                    energy[nominal - search : nominal + search + frame + 1],
                )
            )
        output[number * hop : number * hop + frame] += window * padded[place : place + frame]
    return output[hop : hop + length]


def _best_match(template: np.ndarray, region: np.ndarray, energy: np.ndarray) -> int:
    """Offset in `region` with the highest correlation with `template`, by the region's norm.

    `energy` is the running sum of squares of `region`, from one sample before it.
    """
    span = len(template)
    norm = np.sqrt(np.maximum(energy[span:] - energy[:-span], 1e-12))
    if not template.any() or norm.max() <= 1e-6:
        return (len(region) - span) // 2
    return int(np.argmax(np.correlate(region, template, "valid") / norm))
