"""What is cut out of a long recording."""

import io

import numpy as np
import pytest
import soundfile

from kws.corpus.clip_spec import ClipSpec, make_clip
from kws.corpus.params import IngestParams

RATE = 16000


def counting() -> io.BytesIO:
    """Ten seconds in which sample i of every 20,000 has the value i."""
    wav = io.BytesIO()
    soundfile.write(wav, (np.arange(10 * RATE) % 20_000).astype(np.int16), RATE, format="WAV")
    wav.seek(0)
    return wav


def test_a_short_window_is_what_is_there_between_zeros_and_nothing_goes_before():
    params = IngestParams(keywords=("yes",), lead_in_ms=500)
    spec = ClipSpec(
        name="noise.wav",
        split="train",
        label="_silence_",
        word="",
        speaker="noise",
        source="background",
        novelty="silence",
        starts_ms=(2000.0,),
        heard=(0.25, 0.75),
    )
    clip = make_clip(spec, counting(), params)
    assert clip.lead_in_ms == 0
    expected = np.arange(2 * RATE, 3 * RATE) % 20_000
    expected[: RATE // 4], expected[3 * RATE // 4 :] = 0, 0
    np.testing.assert_array_equal(clip.audio, expected)


@pytest.mark.parametrize("lead_in_ms", [0, 500])
def test_a_window_is_what_is_there_and_its_lead_in_what_goes_before(lead_in_ms):
    params = IngestParams(keywords=("yes",), lead_in_ms=lead_in_ms)
    spec = ClipSpec(
        name="talk.wav",
        split="train",
        label="_unknown_",
        word="",
        speaker="talk",
        source="negatives",
        novelty="heard",
        starts_ms=(2000.0,),
    )
    clip = make_clip(spec, counting(), params)
    assert clip.lead_in_ms == lead_in_ms
    first = 2 * RATE - clip.lead_in_samples
    np.testing.assert_array_equal(clip.audio, np.arange(first, 3 * RATE) % 20_000)
