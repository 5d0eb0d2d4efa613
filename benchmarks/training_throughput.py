"""How fast training is, beside a plain Keras `fit` that computes MFCCs anew in every epoch.

    python -m benchmarks.training_throughput [--model ds_cnn] [--frontend mfcc] [--steps 40]

All train the same architecture on inputs of the same shape, with AdamW and the same batches, one
after the other in one process:

    clips    `model.fit` over tf.data: each clip of audio to tf.signal MFCCs by itself, mapped in
             parallel, batched, prefetched: the order of TensorFlow's audio tutorial
    batches  the same, but batched first, which makes MFCCs much cheaper
    ours     `kws.training.fit` over features that were computed once, with its augmentation

Prints examples/s of all, between the ends of the first and the last step of an epoch, so that
neither graphs being built nor evaluation count; by the clock, and by the processor time of this
process, which other work on the machine changes less. Exits with 1 where ours is not twice as fast
as `clips` by the clock.
"""

import argparse
import time
from typing import NamedTuple

import kws  # noqa: F401  before TensorFlow: selects Keras 2
from kws import features
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.training import dataset
from kws.training.fit import fit
from kws.training.params import TrainingParams

RATE = 16000
BATCH = 128
LABELS = tuple(f"label{number}" for number in range(12))
TARGET = 2.0
FRONTENDS = {
    "mfcc": FeatureParams(frontend="mfcc", feature_bin_count=40, dct_coefficient_count=10),
    "micro": FeatureParams(),
}


def main() -> None:
    """Runs the benchmark; exits with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="ds_cnn", help="of the zoo, with its default options")
    parser.add_argument("--frontend", choices=sorted(FRONTENDS), default="mfcc")
    parser.add_argument("--steps", type=int, default=40, help=f"of {BATCH} clips of 1 s")
    args = parser.parse_args()

    import numpy as np

    params = FRONTENDS[args.frontend]
    rng = np.random.default_rng(0)
    audio = (rng.standard_normal((args.steps * BATCH, RATE)) * 2000).astype(np.int16)
    label_index = rng.integers(0, len(LABELS), len(audio)).astype(np.int32)
    model = ModelParams(name=args.model)
    frames, channels = params.feature_shape
    print(f"{args.model}, inputs {frames} x {channels}, {len(LABELS)} labels, batch {BATCH}")
    plain = _plain(model, params, audio, label_index, batched_first=False)
    batched = _plain(model, params, audio, label_index, batched_first=True)
    ours = _ours(model, params, audio, label_index)
    _show("plain fit, MFCCs by clip", plain, plain)
    _show("plain fit, MFCCs by batch", batched, plain)
    _show(f"ours, {args.frontend} features once", ours, plain)
    if ours.by_clock < TARGET * plain.by_clock:
        raise SystemExit(f"missed: {TARGET:g} times the plain fit by the clock is asked of ours")


class Speed(NamedTuple):
    """Examples/s."""

    by_clock: float
    by_processor: float


def _show(name: str, speed: Speed, reference: Speed) -> None:
    print(
        f"  {name:28s} {speed.by_clock:8,.0f} examples/s ({speed.by_clock / reference.by_clock:.1f}"
        f" x), {speed.by_processor:8,.0f} a second of processor time "
        f"({speed.by_processor / reference.by_processor:.1f} x)"
    )


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

    def speed(self) -> Speed:
        examples = (len(self._clock) - 1) * BATCH
        return Speed(
            examples / (self._clock[-1] - self._clock[0]),
            examples / (self._processor[-1] - self._processor[0]),
        )


def _ours(model: ModelParams, params: FeatureParams, audio, label_index) -> Speed:
    frontend = features.create(params)
    began = time.perf_counter()
    rows = frontend.compute_batch(audio)
    print(f"  features of {len(audio):,} clips, once: {time.perf_counter() - began:.1f} s")
    ids = [f"{number:06d}" for number in range(len(rows))]
    scale = model_input.input_scale(params)
    train = dataset.from_arrays(rows, label_index, ids, LABELS, scale)
    few = dataset.from_arrays(rows[:BATCH], label_index[:BATCH], ids[:BATCH], LABELS, scale)
    watch = _Watch()
    network = registry.build(model, params.feature_shape, len(LABELS))
    fit(network, train, few, TrainingParams(epochs=1, batch_size=BATCH), progress=watch)
    return watch.speed()


def _plain(
    model: ModelParams, params: FeatureParams, audio, label_index, *, batched_first: bool
) -> Speed:
    import tensorflow as tf

    window, hop = params.window_samples, params.stride_samples
    mel = tf.signal.linear_to_mel_weight_matrix(40, 257, RATE, 20.0, 7600.0)

    def mfccs(samples, label):
        waves = tf.cast(samples, tf.float32) / 32768.0
        spectrum = tf.abs(tf.signal.stft(waves, window, hop, fft_length=512))
        log_mel = tf.math.log(spectrum @ mel + 1e-6)
        cepstra = tf.signal.mfccs_from_log_mel_spectrograms(log_mel)
        return cepstra[..., : params.channels], label

    data = tf.data.Dataset.from_tensor_slices((audio, label_index)).shuffle(len(audio), seed=0)
    if batched_first:
        data = data.batch(BATCH, drop_remainder=True)
    data = data.map(mfccs, num_parallel_calls=tf.data.AUTOTUNE)
    if not batched_first:
        data = data.batch(BATCH, drop_remainder=True)
    data = data.prefetch(tf.data.AUTOTUNE)
    network = registry.build(model, params.feature_shape, len(LABELS))
    network.compile(
        tf.keras.optimizers.AdamW(4e-3, weight_decay=0.01, jit_compile=False),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    watch = _Watch()
    callback = tf.keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: watch.note())
    network.fit(data, epochs=1, verbose=0, callbacks=[callback])
    return watch.speed()


if __name__ == "__main__":
    main()
