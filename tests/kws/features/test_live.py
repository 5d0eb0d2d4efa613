"""Features while the audio comes in are those of the whole recording, in whatever pieces."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws import features
from kws.errors import KwsError
from kws.features.live import LiveAsBatch, LiveFrontend
from kws.features.params import FeatureParams

PARAMS = {
    "micro": FeatureParams(),
    "micro, no PCAN, hop 10": FeatureParams(
        enable_pcan=False, window_stride_ms=10, feature_bin_count=20, upper_band_limit_hz=4000
    ),
    "micro at 8 kHz, no log": FeatureParams(
        sample_rate=8000, enable_log=False, upper_band_limit_hz=3500, smoothing_bits=8
    ),
    "log_mel": FeatureParams(frontend="log_mel"),
    "mfcc": FeatureParams(frontend="mfcc", window_stride_ms=12.5),
    "spectrogram": FeatureParams(frontend="spectrogram", feature_bin_count=241),
}


def _audio() -> np.ndarray:
    """Three seconds: silence, noise of rising level, a loud tone, clipping."""
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 1, 48000) * np.geomspace(3, 20000, 48000)
    noise[:4000] = 0
    tone = 20000 * np.sin(np.arange(8000) * 0.3)
    noise[20000:28000] += tone
    return np.clip(noise, -32768, 32767).astype(np.int16)


AUDIO = _audio()
WHOLE = {name: features.create(params).compute(AUDIO) for name, params in PARAMS.items()}


@pytest.mark.parametrize("name", PARAMS)
@settings(max_examples=12, deadline=None)
@given(sizes=st.lists(st.integers(0, 6000), min_size=1, max_size=12))
def test_the_pieces_do_not_matter(name: str, sizes: list[int]) -> None:
    live, rest, frames = LiveFrontend(PARAMS[name]), AUDIO, []
    for size in sizes:
        frames.append(live.feed(rest[:size]))
        rest = rest[size:]
    frames.append(live.feed(rest))
    found = np.concatenate(frames)
    assert found.dtype == WHOLE[name].dtype == live.dtype
    np.testing.assert_array_equal(found, WHOLE[name])


@pytest.mark.parametrize("name", ["micro", "log_mel"])
def test_sample_by_sample(name: str) -> None:
    live = LiveFrontend(PARAMS[name])
    frames = [live.feed(AUDIO[i : i + 1]) for i in range(8000)]
    found = np.concatenate(frames)
    np.testing.assert_array_equal(found, WHOLE[name][: len(found)])
    assert len(found) == PARAMS[name].frame_count(8000)


def test_two_streams_do_not_disturb_each_other() -> None:
    first, second = LiveFrontend(PARAMS["micro"]), LiveFrontend(PARAMS["micro"])
    halves = [first.feed(AUDIO[:20000])]
    second.feed(AUDIO[::-1])
    halves.append(first.feed(AUDIO[20000:]))
    np.testing.assert_array_equal(np.concatenate(halves), WHOLE["micro"])


def test_the_micro_frontend_is_live_without_tensorflow() -> None:
    code = (
        "import sys, numpy as np; from kws.features.live import LiveAsBatch; "
        "from kws.features.params import FeatureParams; "
        "print(LiveAsBatch(FeatureParams()).compute(np.ones(16000, np.int16)).shape); "
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(49, 40)\n"


def test_wrong_audio_and_impossible_parameters_are_named() -> None:
    with pytest.raises(ValueError, match="must be int16"):
        LiveFrontend(FeatureParams()).feed(np.zeros(100, np.float32))
    with pytest.raises(KwsError, match="the micro frontend refuses feature_bin_count=40"):
        LiveAsBatch(FeatureParams(upper_band_limit_hz=8000)).compute(AUDIO)
