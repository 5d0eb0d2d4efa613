"""How fast noisy copies are made on one core, plain and augmented, Beam and files left out.

    python -m benchmarks.noisy_copies [--clips 400]

Clips of 1 s become copies of 2 s (a second of background first, as the default has it); what is
counted is seconds of copies. By the clock, and by the processor time of this process, which other
work on the machine does not change. The reference is pydub, which lays the same clips over the
same background with the same lead-in, ratio and gain. `tf.Example in and out` is what else
AudioSynthesizer does for each, descriptors computed too.
"""

import warnings
from collections.abc import Sequence

import numpy as np

from benchmarks import harness
from benchmarks.harness import RATE
from kws.audio import noise
from kws.audio.clip import Clip
from kws.augment.chain import STEPS
from kws.augment.level import active_speech, decibels, rms, to_int16
from kws.augment.mix import noisy_copy
from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.augment.rooms import Room, room_bank
from kws.augment.seed import generator

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark; exits with 1 where a target is missed by processor time."""
    parser = harness.Parser("noisy_copies", __doc__)
    parser.add_argument("--clips", type=int, default=400, help="of 1 s")
    parser.add_argument("--rooms", type=int, default=AugmentParams().rooms, help="for reverb")
    args = parser.parse_args(arguments)
    with harness.one_core():
        plain, mixed = measure(args.clips, args.rooms)
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


def measure(count: int, room_count: int) -> tuple[harness.Speed, harness.Speed]:
    """Prints the table; returns the speeds of plain copies and of augmented ones."""
    background = to_int16(1500 * noise.pink(BACKGROUND_S * RATE, np.random.default_rng(0)))
    clips = [_clip(number) for number in range(count)]
    rooms: list[Room] = []
    took = harness.measure(lambda: rooms.extend(room_bank(0, "train", room_count)))
    print(f"{len(rooms)} rooms, once a process: {took.by_processor:.1f} s")

    def copies(augment: AugmentParams) -> harness.Speed:
        params = NoisyCopyParams(augment=augment)
        # What is loaded at the first use is not measured.
        noisy_copy(clips[0], background, params, generator(0, "first"), rooms)
        made = harness.measure(
            lambda: [
                noisy_copy(clip, background, params, generator(0, clip.clip_id), rooms)
                for clip in clips
            ]
        )
        return made.speed(2.0 * count)

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
    return plain, mixed


def _with(*shares: str, **fields) -> AugmentParams:
    return AugmentParams.model_validate({**dict.fromkeys(shares, 1.0), **fields})


def _shares(params: AugmentParams) -> str:
    return ", ".join(f"{step} {getattr(params, f'{step}_share'):g}" for step in STEPS)


def _clip(number: int) -> Clip:
    """A burst of noise about as long as a word."""
    audio = np.random.default_rng(number).normal(0, 3000, RATE)
    audio *= np.exp(-(((np.arange(RATE) - RATE / 2) / 2500) ** 2))
    return harness.clip_of(to_int16(audio), number)


def _component(clips: Sequence[Clip], background: np.ndarray) -> harness.Speed:
    from kws.audio.clip import decode, encode

    params = NoisyCopyParams()
    serialized = [encode(clip) for clip in clips]

    def run() -> None:
        for content in serialized:
            clip = decode(content)
            encode(noisy_copy(clip, background, params, generator(0, clip.clip_id)))

    return harness.measure(run).speed(2.0 * len(clips))


def _pydub(clips: Sequence[Clip], background: np.ndarray) -> harness.Speed:
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

    return harness.measure(run).speed(2.0 * len(clips))


def _show(name: str, speed: harness.Speed) -> None:
    print(
        f"  {name:<34}{speed.by_clock:6,.0f} by the clock,{speed.by_processor:6,.0f} by processor"
    )


if __name__ == "__main__":
    harness.start(main)
