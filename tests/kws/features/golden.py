"""Makes `testdata/golden.npz`: `python -m tests.kws.features.golden`.

Only for a new frontend or new parameters here: that a number of an existing frontend changed means
that every shipped model hears something else than it was trained on.
"""

from pathlib import Path

import numpy as np

from kws import features
from kws.features.params import FeatureParams

FILE = Path(__file__).parent / "testdata" / "golden.npz"

PARAMS = {
    "micro": FeatureParams(),
    "micro_hop_10": FeatureParams(window_stride_ms=10),
    "micro_plain": FeatureParams(
        window_size_ms=25,
        feature_bin_count=20,
        lower_band_limit_hz=200,
        upper_band_limit_hz=4000,
        smoothing_bits=9,
        even_smoothing=0.05,
        odd_smoothing=0.1,
        min_signal_remaining=0.2,
        enable_pcan=False,
        enable_log=False,
    ),
    "micro_gain": FeatureParams(pcan_strength=0.7, pcan_offset=60, gain_bits=20, scale_shift=5),
    "log_mel": FeatureParams(frontend="log_mel"),
}


def signal(seed: int = 7, samples: int = 9600) -> np.ndarray:
    """int16: silence, then a chirp from 100 to 7,600 Hz that swells in noise, then full scale."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / 16000
    chirp = np.sin(2 * np.pi * (100 + 3750 * t / t[-1]) * t) * np.linspace(0, 12000, samples)
    audio = chirp + rng.standard_normal(samples) * 60
    audio[:800] = 0
    audio[-800:] = np.where(rng.random(800) < 0.5, -32768, 32767)
    return np.clip(np.round(audio), -32768, 32767).astype(np.int16)


if __name__ == "__main__":
    audio = signal()
    vectors = {name: features.create(p).compute(audio) for name, p in PARAMS.items()}
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FILE, audio=audio, **vectors)
    print({name: (v.shape, v.min(), v.max()) for name, v in vectors.items()})
