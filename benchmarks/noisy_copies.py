"""How fast noisy copies are made on one core, plain and augmented, Beam and files left out.

    python -m benchmarks.noisy_copies [--clips 400]

Clips of 1 s become copies of 2 s (a second of background first, as the default has it); what is
counted is seconds of copies. By the clock, and by the processor time of this process, which other
work on the machine does not change. The reference is pydub, which lays the same clips over the
same background with the same lead-in, ratio and gain. `tf.Example in and out` is what else
AudioSynthesizer does for each, descriptors computed too.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kws.audio import noise
from kws.audio.clip import Clip
from kws.augment.activity import active_speech
from kws.augment.chain import STEPS
from kws.augment.gain import to_int16
from kws.augment.level import decibels, rms
from kws.augment.mix import noisy_copy
from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.augment.rooms import room_bank
from kws.augment.seed import generator

RATE = 16000
BACKGROUND_S = 60
TARGET, TARGET_AUGMENTED = 150.0, 100.0
MIXED = AugmentParams(
    speed_share=0.3,
    tempo_share=0.2,
    pitch_share=0.2,
    reverb_share=0.5,
    equalizer_share=0.5,
    clipping_share=0.1,
    codec_share=0.2,
)
"""Shares as one would train with."""


class Speed(NamedTuple):
    """Times real time."""

    by_clock: float
    by_processor: float


def main() -> None:
    """Runs the benchmark; exits with 1 where a target is missed by processor time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=400, help="of 1 s")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    background = to_int16(1500 * noise.pink(BACKGROUND_S * RATE, np.random.default_rng(0)))
    clips = [_clip(number) for number in range(args.clips)]
    start = time.process_time()
    rooms = room_bank(0, "train", AugmentParams().rooms)
    print(f"{len(rooms)} rooms, once a process: {time.process_time() - start:.1f} s")

    def copies(augment: AugmentParams) -> Speed:
        params = NoisyCopyParams(augment=augment)
        # What is loaded at the first use is not measured.
        noisy_copy(clips[0], background, params, generator(0, "first"), rooms)
        return _speed(
            lambda: [
                noisy_copy(clip, background, params, generator(0, clip.clip_id), rooms)
                for clip in clips
            ],
            2.0 * len(clips),
        )

    print(f"{len(clips)} clips, one core, seconds of copies made in a second:")
    plain = copies(AugmentParams())
    _show("plain (the default)", plain)
    _show("  with tf.Example in and out", _component(clips, background))
    _show("  pydub does the same", _pydub(clips, background))
    mixed = copies(MIXED)
    _show("augmented as in training", mixed)
    print(f"    ({_shares(MIXED)})")
    for step in STEPS[:-1]:
        _show(f"  {step}, every copy", copies(_with(f"{step}_share")))
    for codec in ("mu_law", "opus"):
        _show(f"  {codec}, every copy", copies(_with("codec_share", codecs=(codec,))))
    every = [f"{step}_share" for step in STEPS]
    _show("everything, codec µ-law alone", copies(_with(*every, codecs=("mu_law",))))
    _show("everything, codec half Opus", copies(_with(*every)))
    missed = [
        f"{name} {speed.by_processor:.0f} < {target:g}"
        for name, speed, target in (
            ("plain", plain, TARGET),
            ("augmented", mixed, TARGET_AUGMENTED),
        )
        if speed.by_processor < target
    ]
    if missed:
        raise SystemExit("missed: " + ", ".join(missed))


def _with(*shares: str, **fields) -> AugmentParams:
    return AugmentParams.model_validate({**dict.fromkeys(shares, 1.0), **fields})


def _shares(params: AugmentParams) -> str:
    return ", ".join(f"{step} {getattr(params, f'{step}_share'):g}" for step in STEPS)


def _clip(number: int) -> Clip:
    """A burst of noise about as long as a word."""
    audio = np.random.default_rng(number).normal(0, 3000, RATE)
    audio *= np.exp(-(((np.arange(RATE) - RATE / 2) / 2500) ** 2))
    return Clip(
        audio=to_int16(audio), sample_rate=RATE, label="yes", word="yes", speaker="s", source="n",
        clip_id=f"{number:016x}", novelty="keyword",
    )  # fmt: skip


def _component(clips: Sequence[Clip], background: np.ndarray) -> Speed:
    from kws.audio.clip import decode, encode

    params = NoisyCopyParams()
    serialized = [encode(clip) for clip in clips]

    def run() -> None:
        for content in serialized:
            clip = decode(content)
            encode(noisy_copy(clip, background, params, generator(0, clip.clip_id)))

    return _speed(run, 2.0 * len(clips))


def _pydub(clips: Sequence[Clip], background: np.ndarray) -> Speed:
    with warnings.catch_warnings():
        # It looks for ffmpeg, which laying sound over sound does not need.
        warnings.simplefilter("ignore", RuntimeWarning)
        from pydub import AudioSegment

    params = NoisyCopyParams()

    def segment(audio: np.ndarray) -> AudioSegment:
        return AudioSegment(audio.tobytes(), sample_width=2, frame_rate=RATE, channels=1)

    def run() -> None:
        for clip in clips:
            rng = generator(0, clip.clip_id)
            snr_db, gain_db = rng.uniform(*params.snr_db), rng.uniform(*params.gain_db)
            start = int(rng.integers(len(background) - 2 * RATE))
            piece = background[start : start + 2 * RATE]
            word = active_speech(clip.audio, RATE)
            noise_gain_db = decibels(word.rms / rms(piece)) - snr_db
            laid = segment(piece).apply_gain(noise_gain_db)
            mixed = laid.overlay(segment(clip.audio), position=params.lead_in_ms)
            np.array(mixed.apply_gain(gain_db).get_array_of_samples())

    return _speed(run, 2.0 * len(clips))


def _speed(work: Callable[[], object], seconds: float) -> Speed:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Speed(
        seconds / (time.perf_counter() - clock), seconds / (time.process_time() - processor)
    )


def _show(name: str, speed: Speed) -> None:
    print(
        f"  {name:<34}{speed.by_clock:6,.0f} by the clock,{speed.by_processor:6,.0f} by processor"
    )


if __name__ == "__main__":
    main()
