"""How fast SpectrogramTransform is on one core, reading and writing files included.

    python -m benchmarks.spectrogram_transform [--clips 2000] [--frontend micro]

Prints times real time of the component's `Do` (a Beam pipeline over gzip TFRecords, its start
included), and of two references: the frontend alone, and `pymicro-features` 10 ms at a time. By the
clock, and by the processor time of this process, which other work on the machine does not change.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import harness
from benchmarks.harness import RATE
from kws.features.params import FeatureParams
from kws.splits import TRAIN

TARGET = 150.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark; exits with 1 where the target is missed."""
    parser = harness.Parser("spectrogram_transform", __doc__)
    parser.add_argument("--clips", type=int, default=2000, help="of 1 s")
    parser.add_argument("--frontend", choices=("micro", "log_mel"), default="micro", help="of kws")
    args = parser.parse_args(arguments)
    with harness.one_core():
        component = measure(args.clips, FeatureParams(frontend=args.frontend))
    if component.by_clock < TARGET:
        raise SystemExit(f"missed: at least {TARGET:g} by the clock is asked of the component")


def measure(clips: int, params: FeatureParams) -> harness.Speed:
    """Prints the table; returns the component's speed."""
    audio = harness.noise(clips, seed=0).reshape(clips, RATE)
    with tempfile.TemporaryDirectory() as folder:
        component = _component(Path(folder), audio, params)
    bare = _bare(audio, params)
    print(f"{clips} clips of 1 s, frontend {params.frontend}, one core, times real time:")
    _show("component, files included", component, bare)
    _show("frontend alone", bare, bare)
    reference = _pymicro(audio[:200])
    if reference:
        _show("pymicro-features (hop 10 ms), alone", reference, bare)
    return component


def _show(name: str, speed: harness.Speed, bare: harness.Speed) -> None:
    share = speed.by_processor / bare.by_processor
    print(
        f"  {name:<36}{speed.by_clock:6.0f} by the clock,{speed.by_processor:6.0f} by processor "
        f"time ({share:.2f} of the frontend alone)"
    )


def _component(folder: Path, audio: np.ndarray, params: FeatureParams) -> harness.Speed:
    from benchmarks.beam_parts import Parts, audio_examples

    clips = [harness.clip_of(samples, number) for number, samples in enumerate(audio)]
    source = audio_examples(str(folder / "in"), clips, [TRAIN])
    parts = Parts(root=str(folder / "out"), features=params)
    return harness.measure(lambda: parts.transform(source)).speed(len(audio))


def _bare(audio: np.ndarray, params: FeatureParams) -> harness.Speed:
    from kws import features

    frontend = features.create(params)
    frontend.compute(audio[0])
    return harness.measure(lambda: frontend.compute_batch(audio)).speed(len(audio))


def _pymicro(audio: np.ndarray) -> harness.Speed | None:
    try:
        import pymicro_features
    except ImportError:
        return None

    def run() -> None:
        for samples in audio:
            frontend, data = pymicro_features.MicroFrontend(), samples.tobytes()
            while len(data) >= 320:
                used = frontend.process_samples(data).samples_read
                data = data[max(used, 1) * 2 :]

    return harness.measure(run).speed(len(audio))


if __name__ == "__main__":
    harness.start(main)
