"""Codecs: what coding for a line or a network leaves of a voice. All take and give int16."""

import functools
from typing import Literal

import numpy as np

from kws.errors import KwsError

Codec = Literal["mu_law", "telephone", "opus"]

BIAS = 33
"""Of the 14-bit magnitudes of G.711, whose chords begin at 32 + 1."""
LARGEST = 8158
TELEPHONE_HZ = 8000
OPUS_KBPS = (6.0, 256.0)
"""What libsndfile's compression level 1 and 0 mean for one channel."""
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


def mu_law(audio: np.ndarray) -> np.ndarray:
    """A round trip through µ-law (ITU-T G.711): 8 bits a sample, finer where it is quiet.

    Args:
      audio: int16 `[samples]`.

    Returns:
      int16 `[samples]`.
    """
    return _mu_law_table()[audio.view(np.uint16)]


@functools.cache
def _mu_law_table() -> np.ndarray:
    """What each of the 65,536 samples becomes, by its bits as an unsigned number."""
    samples = np.arange(65536, dtype=np.uint16).view(np.int16)
    return mu_law_decode(mu_law_encode(samples))


def mu_law_encode(audio: np.ndarray) -> np.ndarray:
    """int16 to the codes of G.711, uint8: sign, three bits of chord, four of step, inverted."""
    # 14 bits, rounded towards minus infinity as the reference code shifts.
    sample = audio.astype(np.int32) >> 2
    magnitude = np.minimum(np.abs(sample), LARGEST) + BIAS
    # The chord is the place of the leading bit: 33..63 is chord 0, 4096..8191 is chord 7.
    chord = np.frexp(magnitude.astype(np.float64))[1] - 6
    step = (magnitude >> (chord + 1)) & 0x0F
    return ~((np.where(sample < 0, 0x80, 0) | (chord << 4) | step).astype(np.uint8))


def mu_law_decode(codes: np.ndarray) -> np.ndarray:
    """uint8 codes of G.711 to int16, the middle of each step."""
    inverted = (~codes).astype(np.int32)
    chord, step = (inverted >> 4) & 0x07, inverted & 0x0F
    magnitude = (((step << 1) + BIAS) << chord) - BIAS
    return (np.where(inverted & 0x80, -magnitude, magnitude) << 2).astype(np.int16)


def telephone(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """A round trip through an old telephone line: µ-law at 8 kHz, nothing above 4 kHz.

    Args:
      audio: int16 `[samples]`.
      sample_rate: Hz of it.

    Returns:
      int16 `[samples]`.
    """
    import soxr

    narrow = mu_law(soxr.resample(audio, sample_rate, TELEPHONE_HZ))
    return _as_long(soxr.resample(narrow, TELEPHONE_HZ, sample_rate), len(audio))


def opus(audio: np.ndarray, sample_rate: int, kbps: float) -> np.ndarray:
    """A round trip through Opus (RFC 6716) by libsndfile, in memory.

    Args:
      audio: int16 `[samples]`.
      sample_rate: Hz; what Opus does not know is resampled to 48 kHz and back.
      kbps: 6 to 256 kbit/s; speech is clear from 16.

    Returns:
      int16 `[samples]`, not delayed. Bytes depend on the version of libopus.

    Raises:
      KwsError: this libsndfile was built without Opus.
      ValueError: `kbps` is out of range.
    """
    import io

    import soundfile
    import soxr

    low, high = OPUS_KBPS
    if not low <= kbps <= high:
        raise ValueError(f"kbps={kbps}: Opus is written at {low:g} to {high:g} kbit/s")
    if "OPUS" not in soundfile.available_subtypes("OGG"):
        raise KwsError(
            f"libsndfile {soundfile.__libsndfile_version__} writes no Opus",
            hint="install soundfile's own wheel (libsndfile 1.0.29 or later), or leave out opus",
        )
    if sample_rate not in OPUS_RATES:
        wide = opus(soxr.resample(audio, sample_rate, 48000), 48000, kbps)
        return _as_long(soxr.resample(wide, 48000, sample_rate), len(audio))
    coded = io.BytesIO()
    level = (high - kbps) / (high - low)
    soundfile.write(
        coded, audio, sample_rate, format="OGG", subtype="OPUS", compression_level=level
    )
    coded.seek(0)
    return _as_long(soundfile.read(coded, dtype="int16")[0], len(audio))


def round_trip(audio: np.ndarray, codec: Codec, sample_rate: int, kbps: float) -> np.ndarray:
    """The named codec; `kbps` is Opus's alone."""
    if codec == "opus":
        return opus(audio, sample_rate, kbps)
    return telephone(audio, sample_rate) if codec == "telephone" else mu_law(audio)


def _as_long(audio: np.ndarray, num_samples: int) -> np.ndarray:
    return np.pad(audio[:num_samples], (0, max(0, num_samples - len(audio))))
