"""How fast training is, beside a plain Keras `fit` that computes MFCCs anew in every epoch.

    python -m benchmarks.training_throughput [--model ds_cnn] [--frontend mfcc] [--steps 60]

All train the same architecture on inputs of the same shape, with AdamW and batches of 128 clips of
1 s, one after the other, each in a process of its own:

    clips    `model.fit` over tf.data, in the order of TensorFlow's audio tutorial (as it was before
             2.10): WAV files shuffled, each read (tf.io.read_file), decoded (tf.audio.decode_wav)
             and made MFCCs (tf.signal) by itself, mapped in parallel (AUTOTUNE); batch; prefetch
             (AUTOTUNE). TensorFlow's own choice of threads
    batches  the same, but files are read and decoded, then batched, and MFCCs are computed a batch
             at a time: the order of the tutorial today, which makes them cheaper
    ours     `kws.training.fit` over features that were computed once, with its augmentation:
             the defaults of a configuration

The files are noise, in a temporary folder, just written and so in the memory of the operating
system. No network waits for a disk here. Prints examples/s of all between the ends of step 20 and
of the last one, so that neither graphs being built nor AUTOTUNE's first choices nor evaluation
count; by the clock, and by the processor time of the process, which other work on the machine
changes less. Exits with 1 where `ours` is not 1.5 times as fast as `clips` by the clock.
"""

import concurrent.futures
import multiprocessing
import tempfile
import time
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import kws  # noqa: F401  before TensorFlow: selects Keras 2
from benchmarks import harness
from benchmarks.harness import RATE, Speed
from kws import features
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.training import dataset
from kws.training.fit import fit
from kws.training.params import TrainingParams

BATCH = 128
WARM_UP_STEPS = 20
LABELS = tuple(f"label{number}" for number in range(12))
TARGET = 1.5
FRONTENDS = {
    "mfcc": FeatureParams(frontend="mfcc", feature_bin_count=40, dct_coefficient_count=10),
    "micro": FeatureParams(),
}
ROWS = {
    "clips": "plain fit, MFCCs a clip at a time",
    "batches": "plain fit, MFCCs a batch at a time",
    "ours": "ours, features once",
}


class Task(NamedTuple):
    """What all measure; `folder` has WAV files, in the order of their labels."""

    model: str
    frontend: str
    folder: str
    label_index: np.ndarray
    batch: int
    warm_up: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark; exits with 1 where the target is missed."""
    parser = harness.Parser("training_throughput", __doc__)
    parser.add_argument("--model", default="ds_cnn", help="of the zoo, with its default options")
    parser.add_argument(
        "--frontend", choices=sorted(FRONTENDS), default="mfcc", help="of the features"
    )
    parser.add_argument("--steps", type=int, default=60, help="measured, after --warm-up")
    parser.add_argument("--warm-up", type=int, default=WARM_UP_STEPS, help="steps not measured")
    parser.add_argument("--batch", type=int, default=BATCH, help="clips of a batch")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS), help="rows")
    args = parser.parse_args(arguments)

    frames, channels = FRONTENDS[args.frontend].feature_shape
    print(f"{args.model}, inputs {frames} x {channels}, {len(LABELS)} labels, batch {args.batch}")
    with tempfile.TemporaryDirectory() as folder:
        labels = _write_clips(Path(folder), (args.warm_up + args.steps) * args.batch)
        task = Task(args.model, args.frontend, folder, labels, args.batch, args.warm_up)
        speeds = {row: _in_own_process(row, task) for row in args.only}
    reference = speeds.get("clips", next(iter(speeds.values())))
    for row, speed in speeds.items():
        print(
            f"  {ROWS[row]:35s} {speed.by_clock:7,.0f} examples/s "
            f"({speed.by_clock / reference.by_clock:.2f} x), {speed.by_processor:7,.0f} a second "
            f"of processor time ({speed.by_processor / reference.by_processor:.2f} x)"
        )
    if {"clips", "ours"} <= speeds.keys() and (
        speeds["ours"].by_clock < TARGET * reference.by_clock
    ):
        raise SystemExit(f"missed: {TARGET:g} times the plain fit by the clock is asked of ours")


def _write_clips(folder: Path, count: int) -> np.ndarray:
    """Writes WAV files of noise; returns int32 `[count]` labels."""
    rng = np.random.default_rng(0)
    for number in range(count):
        harness.write_noise(folder / f"{number:06d}.wav", 1, seed=number)
    return rng.integers(0, len(LABELS), count).astype(np.int32)


def _in_own_process(row: str, task: Task) -> Speed:
    """Threads are settled once for a process; and none has memory that another left behind."""
    start = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(max_workers=1, mp_context=start) as one:
        return one.submit(_measure, row, task).result()


def _measure(row: str, task: Task) -> Speed:
    if row == "ours":
        return _ours(task)
    return _plain(task, batched_first=row == "batches")


class _Watch:
    """Notes both clocks at the end of every step."""

    def __init__(self) -> None:
        self._clock: list[float] = []
        self._processor: list[float] = []

    def note(self) -> None:
        self._clock.append(time.perf_counter())
        self._processor.append(time.process_time())

    def on_step(self, report) -> None:
        self.note()

    def on_epoch(self, report, labels) -> None:
        pass

    def speed(self, task: Task) -> Speed:
        """Examples a second after the warm-up."""
        first = task.warm_up - 1
        examples = (len(self._clock) - 1 - first) * task.batch
        return Speed(
            examples / (self._clock[-1] - self._clock[first]),
            examples / (self._processor[-1] - self._processor[first]),
        )


def _ours(task: Task) -> Speed:
    params = FRONTENDS[task.frontend]
    paths = sorted(Path(task.folder).glob("*.wav"))
    frontend = features.create(params)
    rows = np.concatenate([frontend.compute_batch(_read(path)[None]) for path in paths])
    ids = [path.stem for path in paths]
    scale = model_input.input_scale(params)
    train = dataset.from_arrays(rows, task.label_index, ids, LABELS, scale)
    n = task.batch
    few = dataset.from_arrays(rows[:n], task.label_index[:n], ids[:n], LABELS, scale)
    network = registry.build(ModelParams(name=task.model), params.feature_shape, len(LABELS))
    settings = TrainingParams(epochs=1, batch_size=n)
    watch = _Watch()
    fit(network, train, few, settings, progress=watch)
    return watch.speed(task)


def _read(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(RATE), np.int16)


def _plain(task: Task, *, batched_first: bool) -> Speed:
    import tensorflow as tf

    params = FRONTENDS[task.frontend]
    window, hop = params.window_samples, params.stride_samples
    mel = tf.signal.linear_to_mel_weight_matrix(40, 257, RATE, 20.0, 7600.0)

    def waveform(path, label):
        samples, _ = tf.audio.decode_wav(
            tf.io.read_file(path), desired_channels=1, desired_samples=RATE
        )
        return tf.squeeze(samples, axis=-1), label

    def mfccs(waves, label):
        spectrum = tf.abs(tf.signal.stft(waves, window, hop, fft_length=512))
        log_mel = tf.math.log(tf.tensordot(spectrum, mel, 1) + 1e-6)
        cepstra = tf.signal.mfccs_from_log_mel_spectrograms(log_mel)
        return cepstra[..., : params.channels], label

    paths = sorted(str(path) for path in Path(task.folder).glob("*.wav"))
    data = tf.data.Dataset.from_tensor_slices((paths, task.label_index))
    data = data.shuffle(len(paths), seed=0).map(waveform, num_parallel_calls=tf.data.AUTOTUNE)
    if batched_first:
        data = data.batch(task.batch, drop_remainder=True)
    data = data.map(mfccs, num_parallel_calls=tf.data.AUTOTUNE)
    if not batched_first:
        data = data.batch(task.batch, drop_remainder=True)
    data = data.prefetch(tf.data.AUTOTUNE)
    network = registry.build(ModelParams(name=task.model), params.feature_shape, len(LABELS))
    network.compile(
        tf.keras.optimizers.AdamW(4e-3, weight_decay=0.01, jit_compile=False),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    watch = _Watch()
    callback = tf.keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: watch.note())
    network.fit(data, epochs=1, verbose=0, callbacks=[callback])
    return watch.speed(task)


if __name__ == "__main__":
    harness.start(main)
