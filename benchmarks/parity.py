"""The parity table: does every place where a number is computed compute the same number?

    python -m benchmarks.parity [--only NAME ...]

**Frontends.** Features of the same clips as the detector computes them (the reference), as Beam
writes them (`SpectrogramTransform`'s transform, over serialized clips), as training reads them from
the TFRecords, and by parameters that are read out of the C header alone; the micro frontend also by
its second writing in NumPy integers, which shares no code with it.

**Models.** The same windows, or the steps of a stream, through TensorFlow Lite Micro (the
reference: what the device computes), the int8 file in TFLite, its twin with float input and output,
and Keras in floats. Then a stream of noise through TFLM and TFLite, and what the detector made of
it.

Exits with 1 where something differs that is said to be exact. Keras computes in floats and is not:
its difference is what quantization costs. Weights are those that models begin with, and what is
asked of streaming models, one step at most and identical detections, is less than exact.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np

from benchmarks import harness, untrained
from components.spectrogram_transform.transform import ComputeFeatures
from kws import features
from kws.audio.clip import encode
from kws.bundle import device_code
from kws.detection.params import DetectorParams
from kws.export import convert
from kws.features import files, model_input
from kws.features.params import FeatureParams
from kws.runtime import tflm, validate
from kws.training import dataset
from tests.kws.features import fixed_point

CLIPS = 8
STREAM_S = 10
INPUT_SCALE, INPUT_ZERO_POINT = 0.1, -3
MODELS = (
    "model of keyword",
    "tc_resnet8",
    "bc_resnet 1",
    "mixed_net, hop 20 ms",
    "ds_tc_resnet",
    "trigger_gru (trigger_word)",
)
_DEFINE = re.compile(r"#define KWS_(\w+) +(\S+)")


def frontends() -> dict[str, FeatureParams]:
    """Those that presets and the zoo use."""
    spectrogram = untrained.candidates()["trigger_gru (trigger_word)"].features
    return {
        "micro, hop 20 ms": FeatureParams(),
        "micro, hop 10 ms": FeatureParams(window_stride_ms=10),
        "log_mel, hop 10 ms": FeatureParams(
            frontend="log_mel", window_size_ms=25, window_stride_ms=10
        ),
        "mfcc, hop 20 ms": FeatureParams(
            frontend="mfcc", window_size_ms=40, window_stride_ms=20, cepstral_lifter=22
        ),
        "spectrogram, 44.1 kHz": spectrogram.model_copy(update={"clip_duration_ms": 1000}),
    }


def of_header(text: str, frontend: str) -> dict[str, str]:
    """The constants of a `frontend_params.h`, in lower case, as a device would see them."""
    found = {name.lower(): value for name, value in _DEFINE.findall(text)}
    return {name: value.removesuffix("f") for name, value in found.items()} | {"frontend": frontend}


def rebuilt(constants: dict[str, str]) -> FeatureParams:
    """FeatureParams from nothing but the header's constants."""
    own = {name: value for name, value in constants.items() if name in FeatureParams.model_fields}
    samples, stride = int(constants["window_samples"]), int(constants["stride_samples"])
    frames, rate = int(constants["clip_frames"]), int(constants["sample_rate"])
    duration_ms = round((samples + (frames - 1) * stride) * 1000 / rate)
    return FeatureParams.model_validate({**own, "clip_duration_ms": duration_ms}, strict=False)


def through_files(audio: np.ndarray, params: FeatureParams) -> tuple[np.ndarray, np.ndarray]:
    """Features as Beam writes them and as training reads them, in the order of the clips."""
    import tensorflow as tf

    labels = [*untrained.LABELS[:2], "yes"]
    clips = [
        encode(harness.clip_of(samples, number, sample_rate=params.sample_rate))
        for number, samples in enumerate(audio)
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        split = folder / "Split-train"
        split.mkdir()
        files.write(folder, params)
        files.write_labels(folder, labels)
        with beam.Pipeline("DirectRunner") as pipeline:
            computed, _ = pipeline | beam.Create(clips) | ComputeFeatures(params, labels, "train")
            _ = computed | beam.io.WriteToTFRecord(
                str(split / "data_tfrecord"), file_name_suffix=".gz", num_shards=1
            )
        (file,) = split.glob("*.gz")
        written = np.zeros((len(audio), *params.feature_shape), features.create(params).dtype)
        for record in tf.data.TFRecordDataset(str(file), "GZIP").as_numpy_iterator():
            fields = tf.train.Example.FromString(record).features.feature
            number = int(fields["clip_id"].bytes_list.value[0].decode(), 16)
            raw = fields["features"].bytes_list.value[0]
            written[number] = np.frombuffer(raw, written.dtype).reshape(params.feature_shape)
        read = dataset.read(
            [str(file)],
            params.feature_shape,
            written.dtype,
            labels,
            scale=model_input.input_scale(params),
            cache_bytes=1 << 30,
        )
        assert read.features is not None
        return written, read.features  # the dataset sorts by clip_id


def frontend_rows(name: str, params: FeatureParams) -> Iterator[tuple[str, str, np.ndarray, bool]]:
    """`(frontend, place, difference from the detector's, said to be exact)`."""
    audio = untrained.noise(params, CLIPS)
    frontend = features.create(params)
    reference = np.stack([frontend.compute(clip) for clip in audio]).astype(np.float64)
    beams, training = through_files(audio, params)
    yield name, "Beam", beams - reference, True
    yield name, "training", training - reference, True
    text = device_code.frontend_header(
        params, name, INPUT_SCALE, INPUT_ZERO_POINT, params.feature_shape[0]
    )
    constants = of_header(text, params.frontend)
    by_header = features.create(rebuilt(constants)).compute_batch(audio)
    yield name, "C header's parameters", by_header - reference, True
    # The header's own formula, in float32 as on the device, against what Python puts in.
    scaled = by_header.astype(np.float32) * np.float32(constants["feature_scale"])
    steps = (scaled / np.float32(constants["input_scale"])).astype(np.float64)
    rounded = np.trunc(steps + np.copysign(0.5, steps)) + int(constants["input_zero_point"])
    ours = model_input.quantize(
        model_input.to_model_input(reference.astype(frontend.dtype), params),
        INPUT_SCALE,
        INPUT_ZERO_POINT,
    )
    yield name, "C header's int8 input", np.clip(rounded, -128, 127) - ours, True
    if params.frontend == "micro":
        again = np.stack([fixed_point.micro(clip, params) for clip in audio[:2]])
        yield name, "second writing, in NumPy integers", again - reference[:2], True


def model_rows(
    name: str, candidate: untrained.Candidate
) -> Iterator[tuple[str, str, np.ndarray, bool]]:
    """`(model, place, difference from TFLM's in int8 steps, said to be exact)`."""
    converted = untrained.convert(candidate, float_io=True)
    int8 = converted.int8(candidate)
    clips = converted.clips[:CLIPS]
    inferences = int8.inferences(int8.quantize(clips))
    on_device = tflm.run(converted.content, inferences).outputs.astype(np.int32)
    yield name, "int8, TFLite", int8.run_inferences(inferences) - on_device, True
    worst, rounded = convert.compare_twins(int8, converted.float_io, clips)
    yield name, f"float I/O, TFLite ({rounded:.1e} of inputs on a tie)", np.array([worst]), True
    floats = converted.keras_model(
        model_input.to_model_input(clips, candidate.features), training=False
    ).numpy()
    # A training form that answers at every step begins when its first convolution is full.
    heeded = floats.shape[1] if floats.ndim == 3 else 1
    last = int8.dequantize(on_device[:, -heeded:])
    yield name, "Keras, floats", (floats.reshape(last.shape) - last) / int8.output_scale, False
    frontend = features.create(candidate.features)
    detector = DetectorParams(
        clip_stride_ms=round(candidate.stride_ms),
        average_window_ms=round(4 * candidate.stride_ms),
        minimum_count=1,
    )
    rate = candidate.features.sample_rate
    audio = np.resize(untrained.noise(candidate.features, 1)[0], STREAM_S * rate)
    in_tflm = converted.int8(candidate, "tflm")
    parity = validate.compare_streams(int8, in_tflm, frontend, audio, detector)
    differing = np.zeros(parity.rows)
    differing[: parity.rows_differing] = parity.largest_difference_steps
    yield name, f"a stream of {STREAM_S} s, TFLite", differing, True
    yield (
        name,
        f"its {parity.detections} detections, TFLite",
        np.ones(parity.detections_differing) if parity.detections_differing else np.zeros(1),
        True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table; exits with 1 where it is not what it is said to be."""
    parser = harness.Parser("parity", __doc__)
    known = frontends()
    parser.add_argument("--only", nargs="*", choices=(*known, *MODELS), help="rows; none: all")
    args = parser.parse_args(arguments)
    wanted = args.only or (*known, *MODELS)
    candidates = untrained.candidates()
    print(f"{harness.load_average()}\n\n| of | beside the reference | compared | differ | most | |")
    print("|---|---|---|---|---|---|", flush=True)
    broken = []
    for name in wanted:
        rows = (
            frontend_rows(name, known[name])
            if name in known
            else model_rows(name, candidates[name])
        )
        for of, place, difference, exact in rows:
            count, most = np.count_nonzero(difference), np.abs(difference).max(initial=0)
            said = ("exact" if not count else "NOT EXACT") if exact else ""
            print(
                f"| {of} | {place} | {difference.size:,} | {count:,} | {most:g} | {said} |",
                flush=True,
            )
            if exact and count:
                broken.append(f"{of}: {place}")
    if broken:
        raise SystemExit(f"said to be exact, and are not: {'; '.join(broken)}")


if __name__ == "__main__":
    harness.start(main)
