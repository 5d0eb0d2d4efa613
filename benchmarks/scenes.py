"""How fast scenes and streams are laid on one core.

    python -m benchmarks.scenes [--scenes 60] [--minutes 10]

Prints times real time of `lay_scene` at 44.1 kHz (10 s, two keywords and one other word on average)
and of `lay_stream` at 16 kHz, by the clock and by the processor time of this process, which other
work on the machine does not change. Beside each stands plain pydub: the same clips overlaid on the
same backgrounds at the same times, without cutting words, drawing places, levels or labels.

The component is AudioSynthesizer's `Do` with scenes and the shortest streams, files included.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kws.audio.clip import Clip, encode
from kws.augment.seed import generator
from kws.labels import UNKNOWN
from kws.scenes.deal import deal_scenes, scene_generator
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.params import SceneParams, StreamParams
from kws.scenes.scene import lay_scene
from kws.scenes.segment import to_segment
from kws.scenes.stream import lay_stream

TARGET = 50.0
SCENE_RATE, STREAM_RATE = 44100, 16000
CLIPS = 40


class Speed(NamedTuple):
    """Times real time."""

    by_clock: float
    by_processor: float

    def __str__(self) -> str:
        return f"{self.by_clock:8.0f} by the clock, {self.by_processor:8.0f} by processor time"


def main() -> None:
    """Runs the benchmark; exits with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=60, help="of 10 s")
    parser.add_argument("--minutes", type=float, default=10.0, help="of a stream")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    laid = _scenes(args.scenes)
    _streams(args.minutes)
    with tempfile.TemporaryDirectory() as folder:
        component = _component(Path(folder), 2 * args.scenes)
    print(f"{2 * args.scenes} scenes by AudioSynthesizer, files included, one core:")
    print(f"  component     {component}")
    if laid.by_clock < TARGET:
        raise SystemExit(f"missed: at least {TARGET:g} by the clock is asked of lay_scene")


def _scenes(count: int) -> Speed:
    params = SceneParams(scenes=(count, 0, 0))
    words = {clip.clip_id: clip for clip in _clips(SCENE_RATE)}
    backgrounds = _backgrounds(SCENE_RATE)
    positives = [name for name in words if not name.startswith(UNKNOWN)]
    negatives = [name for name in words if name.startswith(UNKNOWN)]
    deals = list(deal_scenes(positives, negatives, "train", params))
    truths: list[GroundTruth] = []

    def lay() -> None:
        for deal in deals:
            mine = [words[name] for name in deal.clip_ids]
            rng = scene_generator(params, deal.scene_id)
            scene = lay_scene(mine, backgrounds, params, deal.scene_id, SCENE_RATE, rng)
            truths.append(scene.truth)

    seconds = count * params.duration_ms / 1000
    ours = _speed(lay, seconds)
    plain = _speed(lambda: _plain_pydub(truths, words, backgrounds[0]), seconds)
    said = sum(len(truth.words) for truth in truths)
    _show(f"{count} scenes of 10 s at 44.1 kHz, {said} words", "lay_scene", ours, plain)
    return ours


def _streams(minutes: float) -> None:
    params = StreamParams(minutes=minutes)
    clips = _clips(STREAM_RATE)
    backgrounds = _backgrounds(STREAM_RATE)
    truths: list[GroundTruth] = []

    def lay() -> None:
        rng = generator(0, "stream")
        truths.append(lay_stream(clips, backgrounds, params, "stream", rng)[1])

    ours = _speed(lay, 60 * minutes)
    words = {clip.clip_id: clip for clip in clips}
    plain = _speed(lambda: _plain_pydub(truths, words, backgrounds[0]), 60 * minutes)
    said = sum(len(truth.words) for truth in truths)
    title = f"a stream of {minutes:g} min at 16 kHz, {said} words"
    _show(title, "lay_stream", ours, plain)


def _component(folder: Path, count: int) -> Speed:
    import soundfile
    import tensorflow as tf
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import artifact_utils, channel_utils, standard_artifacts

    from components.artifacts import AudioStreams
    from components.audio_synthesizer.component import AudioSynthesizer
    from components.audio_synthesizer.executor import Executor
    from kws.augment.params import NoisyCopyParams
    from kws.splits import SPLITS

    for number, background in enumerate(_backgrounds(SCENE_RATE)):
        path = folder / "corpus" / "_background_noise_" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, background, SCENE_RATE, "PCM_16")
    source, made, scenes = (standard_artifacts.Examples() for _ in range(3))
    streams = AudioStreams()
    for artifact, name in ((source, "in"), (made, "out"), (scenes, "scenes"), (streams, "streams")):
        artifact.uri = str(folder / name)
    source.split_names = artifact_utils.encode_split_names(list(SPLITS))
    for split in SPLITS:
        path = folder / "in" / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz"
        path.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for clip in _clips(SCENE_RATE):
                writer.write(encode(clip))
    component = AudioSynthesizer(
        channel_utils.as_channel([source]),
        str(folder / "corpus"),
        NoisyCopyParams(copies=0, eval_copies=0),
        StreamParams(minutes=0.1),
        SceneParams(scenes=(count, 0, 0)),
        sample_rate=SCENE_RATE,
    )
    executor = Executor(BaseBeamExecutor.Context())

    def run() -> None:
        executor.Do(
            {"audio_examples": [source]},
            {"examples": [made], "streams": [streams], "scenes": [scenes]},
            component.exec_properties,
        )

    return _speed(run, 10.0 * count)


def _plain_pydub(truths: list[GroundTruth], words: dict[str, Clip], background: np.ndarray) -> None:
    """What pydub alone takes to overlay the same clips where they were laid."""
    for truth in truths:
        samples = truth.duration_ms * truth.sample_rate // 1000
        base = to_segment(np.resize(background, samples), truth.sample_rate).apply_gain(-20)
        for word in truth.words:
            laid = to_segment(words[word.clip_id].audio, truth.sample_rate)
            base = base.overlay(laid, position=word.start_ms)
        base.apply_gain(-20 - base.dBFS)


def _clips(rate: int) -> list[Clip]:
    """Noise shaped like words of 300 to 800 ms in clips of a second."""
    clips = []
    for number in range(CLIPS):
        rng = np.random.default_rng(number)
        samples = int(rate * rng.uniform(0.3, 0.8))
        word = rng.standard_normal(samples) * np.hanning(samples) * 6000
        audio = np.zeros(rate)
        start = int(rng.integers(rate - samples))
        audio[start : start + samples] = word
        label = UNKNOWN if number % 2 else "activate"
        clips.append(
            Clip(
                audio=np.rint(audio).clip(-32768, 32767).astype(np.int16),
                sample_rate=rate,
                label=label,
                word=label,
                speaker=str(number),
                source="noise",
                clip_id=f"{label}{number}",
                novelty="keyword",
            )
        )
    return clips


def _backgrounds(rate: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal(60 * rate) * 800).astype(np.int16) for _ in range(3)]


def _speed(work: Callable[[], object], seconds: float) -> Speed:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Speed(
        seconds / (time.perf_counter() - clock), seconds / (time.process_time() - processor)
    )


def _show(title: str, name: str, ours: Speed, plain: Speed) -> None:
    share = ours.by_processor / plain.by_processor
    print(f"{title}, one core, times real time:")
    print(f"  {name:<14}{ours}")
    print(f"  {'plain pydub':<14}{plain}")
    print(f"  {name} has {share:.2f} of the speed of plain pydub")


if __name__ == "__main__":
    main()
