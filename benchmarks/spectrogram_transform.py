"""How fast SpectrogramTransform is on one core, reading and writing files included.

    python -m benchmarks.spectrogram_transform [--clips 2000] [--frontend micro]

Prints times real time of the component's `Do` (a Beam pipeline over gzip TFRecords, its start
included), and of two references: the frontend alone, and `pymicro-features` 10 ms at a time. By the
clock, and by the processor time of this process, which other work on the machine does not change.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from kws.audio.clip import Clip, encode
from kws.features.params import FeatureParams

RATE = 16000
TARGET = 150.0


def main() -> None:
    """Runs the benchmark; exits with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=2000, help="of 1 s")
    parser.add_argument("--frontend", choices=("micro", "log_mel"), default="micro")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        # Before TensorFlow starts its threads, which inherit it.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    import numpy as np

    params = FeatureParams(frontend=args.frontend)
    rng = np.random.default_rng(0)
    audio = (rng.standard_normal((args.clips, RATE)) * 2000).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        component = _component(Path(folder), audio, params)
    bare = _bare(audio, params)
    print(f"{args.clips} clips of 1 s, frontend {args.frontend}, one core, times real time:")
    _show("component, files included", component, bare)
    _show("frontend alone", bare, bare)
    reference = _pymicro(audio[:200])
    if reference:
        _show("pymicro-features (hop 10 ms), alone", reference, bare)
    if component.by_clock < TARGET:
        raise SystemExit(f"missed: at least {TARGET:g} by the clock is asked of the component")


class Speed(NamedTuple):
    """Times real time."""

    by_clock: float
    by_processor: float


def _show(name: str, speed: Speed, bare: Speed) -> None:
    share = speed.by_processor / bare.by_processor
    print(
        f"  {name:<36}{speed.by_clock:6.0f} by the clock,{speed.by_processor:6.0f} by processor "
        f"time ({share:.2f} of the frontend alone)"
    )


def _speed(work: Callable[[], object], seconds: float) -> Speed:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Speed(
        seconds / (time.perf_counter() - clock), seconds / (time.process_time() - processor)
    )


def _component(folder: Path, audio, params: FeatureParams) -> Speed:
    import tensorflow as tf
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import artifact_utils, standard_artifacts

    from components.spectrogram_transform.executor import Executor

    source, output = standard_artifacts.Examples(), standard_artifacts.Examples()
    source.uri, output.uri = str(folder / "in"), str(folder / "out")
    source.split_names = artifact_utils.encode_split_names(["train"])
    path = folder / "in" / "Split-train" / "data_tfrecord-00000-of-00001.gz"
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for number, samples in enumerate(audio):
            clip = Clip(
                audio=samples,
                sample_rate=RATE,
                label="yes",
                word="yes",
                speaker=str(number),
                source="noise",
                clip_id=f"{number:016x}",
                novelty="keyword",
            )
            writer.write(encode(clip))
    executor = Executor(BaseBeamExecutor.Context())

    def run() -> None:
        executor.Do(
            {"examples": [source]},
            {"transformed_examples": [output]},
            {"params": params.to_json(), "keywords": '["yes"]'},
        )

    return _speed(run, len(audio))


def _bare(audio, params: FeatureParams) -> Speed:
    from kws import features

    frontend = features.create(params)
    frontend.compute(audio[0])
    return _speed(lambda: frontend.compute_batch(audio), len(audio))


def _pymicro(audio) -> Speed | None:
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

    return _speed(run, len(audio))


if __name__ == "__main__":
    main()
