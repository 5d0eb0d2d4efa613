"""Makes `testdata/reference.npz`: `python -m tests.kws.features.reference`.

Features of the golden signal by programs that are not ours, with their parameters written out. They
are kept so that they hold on a machine, or with a TensorFlow, where such a program does not load.
Nothing here imports kws.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "testdata" / "reference.npz"
GOLDEN = Path(__file__).parent / "testdata" / "golden.npz"
RATE_HZ = 16000


def pymicro(audio: np.ndarray) -> np.ndarray:
    """float64 `[frames, 40]`: 10 ms at a time, as a device hears it; window 30 ms, 125-7500 Hz."""
    import pymicro_features

    frontend, rows = pymicro_features.MicroFrontend(), []
    for start in range(0, len(audio) - 159, 160):
        output = frontend.process_samples(audio[start : start + 160].tobytes())
        assert output.samples_read == 160
        if output.features:
            rows.append(output.features)
    return np.array(rows)


def micro_op(audio: np.ndarray) -> np.ndarray:
    """uint16 `[frames, 40]`: TensorFlow's op with a window of 30 ms and a hop of 20 ms."""
    import tensorflow as tf
    from tensorflow.lite.experimental.microfrontend.python.ops import audio_microfrontend_op

    return audio_microfrontend_op.audio_microfrontend(
        tf.constant(audio),
        sample_rate=RATE_HZ,
        window_size=30,
        window_step=20,
        num_channels=40,
        upper_band_limit=7500.0,
        lower_band_limit=125.0,
        smoothing_bits=10,
        even_smoothing=0.025,
        odd_smoothing=0.06,
        min_signal_remaining=0.05,
        enable_pcan=True,
        pcan_strength=0.95,
        pcan_offset=80.0,
        gain_bits=21,
        enable_log=True,
        scale_shift=6,
    ).numpy()


def mfcc_ops(
    audio: np.ndarray,
    *,
    window_samples: int = 480,
    stride_samples: int = 320,
    band_hz: tuple[float, float] = (125.0, 7500.0),
    channels: int = 40,
    coefficients: int = 13,
) -> np.ndarray:
    """float32 `[frames, coefficients]`: the ops of TensorFlow's speech commands tutorial."""
    import tensorflow as tf

    spectrogram = tf.raw_ops.AudioSpectrogram(
        input=(audio / 32768).astype(np.float32)[:, np.newaxis],
        window_size=window_samples,
        stride=stride_samples,
        magnitude_squared=True,
    )
    return tf.raw_ops.Mfcc(
        spectrogram=spectrogram,
        sample_rate=RATE_HZ,
        lower_frequency_limit=band_hz[0],
        upper_frequency_limit=band_hz[1],
        filterbank_channel_count=channels,
        dct_coefficient_count=coefficients,
    ).numpy()[0]


if __name__ == "__main__":
    with np.load(GOLDEN) as golden:
        signal = golden["audio"]
    vectors = {
        # Its numbers are the op's times 10 / 256.
        "pymicro_hop_10": np.rint(pymicro(signal) * 25.6).astype(np.uint16),
        "micro_op": micro_op(signal),
        "mfcc_ops": mfcc_ops(signal),
        "mfcc_ops_tutorial": mfcc_ops(signal, band_hz=(20.0, 4000.0)),
    }
    np.savez_compressed(FILE, **vectors)
    print({name: (v.shape, v.dtype, v.min(), v.max()) for name, v in vectors.items()})
