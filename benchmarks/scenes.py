"""How fast scenes and streams are laid on one core.

    python -m benchmarks.scenes [--scenes 60] [--minutes 10]

Prints times real time of `lay_scene` at 44.1 kHz (10 s, two keywords and one other word on average)
and of `lay_stream` at 16 kHz, by the clock and by the processor time of this process, which other
work on the machine does not change. Beside each stands plain pydub: the same clips overlaid on the
same backgrounds at the same times, without cutting words, drawing places, levels or labels.

The component is AudioSynthesizer's `Do` with scenes and the shortest streams, files included.
"""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import harness
from kws.audio.clip import Clip
from kws.augment.params import NoisyCopyParams
from kws.augment.seed import generator
from kws.corpus.params import IngestParams
from kws.labels import UNKNOWN
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.params import SceneParams, StreamParams
from kws.scenes.scene import deal_scenes, lay_scene, scene_generator
from kws.scenes.section import to_segment
from kws.scenes.stream import lay_stream
from kws.splits import SPLITS

TARGET = 50.0
SCENE_RATE, STREAM_RATE = 44100, 16000
CLIPS = 40
KEYWORD = "activate"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark; exits with 1 where the target is missed."""
    parser = harness.Parser("scenes", __doc__)
    parser.add_argument("--scenes", type=int, default=60, help="of 10 s")
    parser.add_argument("--minutes", type=float, default=10.0, help="of a stream")
    args = parser.parse_args(arguments)
    with harness.one_core():
        laid = _scenes(args.scenes)
        _streams(args.minutes)
        with tempfile.TemporaryDirectory() as folder:
            component = _component(Path(folder), 2 * args.scenes)
    print(f"{2 * args.scenes} scenes by AudioSynthesizer, files included, one core:")
    print(f"  component     {_both(component)}")
    if laid.by_clock < TARGET:
        raise SystemExit(f"missed: at least {TARGET:g} by the clock is asked of lay_scene")


def _scenes(count: int) -> harness.Speed:
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
    ours = harness.measure(lay).speed(seconds)
    plain = harness.measure(lambda: _plain_pydub(truths, words, backgrounds[0])).speed(seconds)
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

    seconds = 60 * minutes
    ours = harness.measure(lay).speed(seconds)
    words = {clip.clip_id: clip for clip in clips}
    plain = harness.measure(lambda: _plain_pydub(truths, words, backgrounds[0])).speed(seconds)
    said = sum(len(truth.words) for truth in truths)
    title = f"a stream of {minutes:g} min at 16 kHz, {said} words"
    _show(title, "lay_stream", ours, plain)


def _component(folder: Path, count: int) -> harness.Speed:
    import soundfile

    from benchmarks.beam_parts import Parts, audio_examples

    for number, background in enumerate(_backgrounds(SCENE_RATE)):
        path = folder / "corpus" / "_background_noise_" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, background, SCENE_RATE, "PCM_16")
    source = audio_examples(str(folder / "in"), _clips(SCENE_RATE), SPLITS)
    parts = Parts(
        root=str(folder / "out"),
        ingestion=IngestParams(keywords=(KEYWORD,), sample_rate=SCENE_RATE),
        copies=NoisyCopyParams(copies=0, eval_copies=0),
        streams=StreamParams(minutes=0.1),
        scenes=SceneParams(scenes=(count, 0, 0)),
    )
    made = harness.measure(lambda: parts.synthesize(source, str(folder / "corpus")))
    return made.speed(10.0 * count)


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
        clip = harness.clip_of(
            np.rint(audio).clip(-32768, 32767).astype(np.int16),
            number,
            sample_rate=rate,
            label=UNKNOWN if number % 2 else KEYWORD,
        )
        clips.append(dataclasses.replace(clip, clip_id=f"{clip.label}{number}"))
    return clips


def _backgrounds(rate: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal(60 * rate) * 800).astype(np.int16) for _ in range(3)]


def _both(speed: harness.Speed) -> str:
    return f"{speed.by_clock:8.0f} by the clock, {speed.by_processor:8.0f} by processor time"


def _show(title: str, name: str, ours: harness.Speed, plain: harness.Speed) -> None:
    share = ours.by_processor / plain.by_processor
    print(f"{title}, one core, times real time:")
    print(f"  {name:<14}{_both(ours)}")
    print(f"  {'plain pydub':<14}{_both(plain)}")
    print(f"  {name} has {share:.2f} of the speed of plain pydub")


if __name__ == "__main__":
    harness.start(main)
