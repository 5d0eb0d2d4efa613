"""Speed, tempo and pitch of speech.

`speed` resamples, which changes tempo and pitch together; `tempo` changes the duration at the same
pitch, by WSOLA; `pitch` combines both to change the pitch at the same duration.

WSOLA: W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA)
for high quality time-scale modification of speech", ICASSP 1993. Output frames are laid at an
even hop under Hann windows that overlap by half. Each frame is read near its nominal place in the
input, where it best continues the previous frame (the highest normalised correlation with what
followed that frame in the input), so that pitch periods stay aligned.
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


def change_speed(audio: np.ndarray, factor: float) -> np.ndarray:
    """Plays the audio `factor` times as fast, by band-limited resampling (libsoxr).

    Every frequency is multiplied by the factor, every duration divided by it; so the formants move
    too, as if the speaker's vocal tract were shorter. What would pass half the sample rate is
    filtered out.

    Args:
      audio: float32 or int16 `[samples]`.
      factor: 2 is an octave higher in half the time.

    Returns:
      The same dtype, `[about samples / factor]`.

    Raises:
      ValueError: the factor is not positive.
    """
    import soxr

    if not factor > 0:
        raise ValueError(f"speed factor={factor}: must be above 0")
    if factor == 1.0 or not audio.size:
        return audio
    return soxr.resample(audio, factor, 1.0)


SEMITONES_AN_OCTAVE = 12.0


def pitch_factor(semitones: float) -> float:
    """The factor on frequencies: 12 semitones are 2."""
    return float(2.0 ** (semitones / SEMITONES_AN_OCTAVE))


def change_pitch(audio: np.ndarray, semitones: float, sample_rate: int) -> np.ndarray:
    """Moves every frequency by `semitones`, the formants with the fundamental.

    The audio is made longer by as much (`change_tempo`) as the resampling that raises the pitch
    (`change_speed`) then makes it shorter.

    Args:
      audio: float32 or int16 `[samples]`.
      semitones: above 0 is higher.
      sample_rate: Hz.

    Returns:
      float32 of the same length, in the units of the input.
    """
    factor = pitch_factor(semitones)
    changed = change_speed(change_tempo(audio, 1.0 / factor, sample_rate), factor)
    # Two roundings of the length differ by a sample or two at most.
    return np.pad(changed[: len(audio)], (0, max(0, len(audio) - len(changed))))
