"""The micro frontend once more, in integers of NumPy: a reference that needs no other program.

Window, fixed-point FFT, filterbank, noise reduction, PCAN and logarithm as the C code of
tensorflow/lite/experimental/microfrontend/lib (and the kissfft that it uses) computes them, step by
step, with its roundings. Gains beyond 16 bits, which overflow there (`pcan_offset` below some 30),
do not here.
"""

import functools
import math

import numpy as np

from kws.features.params import FeatureParams

WINDOW_BITS = FILTERBANK_BITS = 12
NOISE_BITS = 14
SNR_BITS, PCAN_BITS = 12, 6
FULL_SCALE = 32767
LOG_SEGMENTS = 128
LOG_E_OF_2 = 45426
"""ln 2 in 16 bits."""


def micro(audio: np.ndarray, params: FeatureParams) -> np.ndarray:
    """uint16 `[frames, channels]` of int16 `[samples]`."""
    size, stride = params.window_samples, params.stride_samples
    fft_length = 1 << (size - 1).bit_length()
    correction = fft_length.bit_length() - 1 - FILTERBANK_BITS // 2
    filterbank, gains = Filterbank(params, fft_length), Gains(params, correction)
    estimate = np.zeros(params.feature_bin_count, object)
    window = hann(size)
    rows = []
    for start in range(0, len(audio) - size + 1, stride):
        frame = (audio[start : start + size].astype(np.int64) * window) >> WINDOW_BITS
        # Of 16 bits too: -32768 stays negative and is no maximum.
        shift = 15 - int(np.abs(frame.astype(np.int16)).max()).bit_length()
        padded = np.zeros(fft_length, np.int64)
        padded[:size] = frame << shift
        signal = [root >> shift for root in filterbank.roots(energy(padded))]
        signal = reduced(signal, estimate, params)
        if params.enable_pcan:
            signal = [gains.apply(s, int(e)) for s, e in zip(signal, estimate, strict=True)]
        if params.enable_log:
            signal = [logarithm(s << correction, params.scale_shift) for s in signal]
        rows.append([min(s, 0xFFFF) for s in signal])
    return np.array(rows, np.uint16)


def hann(size: int) -> np.ndarray:
    arg = np.float32(2 * math.pi / np.float32(size))
    values = (0.5 - 0.5 * np.cos(float(arg) * (np.arange(size) + 0.5))).astype(np.float32)
    return np.floor(values * np.float32(1 << WINDOW_BITS) + 0.5).astype(np.int64)


def rounded(product: np.ndarray) -> np.ndarray:
    """Of two 15-bit fractions, back to one."""
    return (product + (1 << 14)) >> 15


def divided(x: np.ndarray, by: int) -> np.ndarray:
    return rounded(x * (FULL_SCALE // by))


def turn(phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine as 15-bit fractions."""
    unit = [np.floor(0.5 + FULL_SCALE * f(phase)).astype(np.int64) for f in (np.cos, np.sin)]
    return unit[0], unit[1]


def times(a: tuple, b: tuple) -> tuple[np.ndarray, np.ndarray]:
    return rounded(a[0] * b[0] - a[1] * b[1]), rounded(a[0] * b[1] + a[1] * b[0])


@functools.cache
def twiddles(whole: int) -> tuple[np.ndarray, np.ndarray]:
    return turn(-2 * math.pi * np.arange(whole) / whole)


def fft(re: np.ndarray, im: np.ndarray, whole: int, step: int = 1) -> tuple:
    """Decimation in time by 4, by 2 where 4 does not divide; a stage divides by its radix."""
    n = len(re)
    if n == 1:
        return re, im
    radix = 4 if n % 4 == 0 else 2
    m = n // radix
    parts = [fft(re[k::radix], im[k::radix], whole, step * radix) for k in range(radix)]
    parts = [(divided(a, radix), divided(b, radix)) for a, b in parts]
    twiddle = twiddles(whole)
    index = np.arange(m) * step
    first, *others = parts
    turned = [
        times(part, (twiddle[0][index * k], twiddle[1][index * k]))
        for k, part in enumerate(others, 1)
    ]
    if radix == 2:
        (odd,) = turned
        out = [[first[0] + odd[0], first[0] - odd[0]], [first[1] + odd[1], first[1] - odd[1]]]
        return np.concatenate(out[0]), np.concatenate(out[1])
    one, two, three = turned
    less = [first[i] - two[i] for i in (0, 1)]
    more = [first[i] + two[i] for i in (0, 1)]
    total = [one[i] + three[i] for i in (0, 1)]
    apart = [one[i] - three[i] for i in (0, 1)]
    real = [more[0] + total[0], less[0] + apart[1], more[0] - total[0], less[0] - apart[1]]
    imaginary = [more[1] + total[1], less[1] - apart[0], more[1] - total[1], less[1] + apart[0]]
    return np.concatenate(real), np.concatenate(imaginary)


def energy(samples: np.ndarray) -> list[int]:
    """Squared magnitudes of bins 0 ... n / 2 of a real FFT, by a complex one of half length."""
    half = len(samples) // 2
    re, im = fft(samples[::2], samples[1::2], half)
    out_re, out_im = np.zeros(half + 1, np.int64), np.zeros(half + 1, np.int64)
    first_re, first_im = divided(re[0], 2), divided(im[0], 2)
    out_re[0], out_re[half] = first_re + first_im, first_re - first_im
    k = np.arange(1, half // 2 + 1)
    a = divided(re[k], 2), divided(im[k], 2)
    b = divided(re[half - k], 2), divided(-im[half - k], 2)
    even = a[0] + b[0], a[1] + b[1]
    odd = times((a[0] - b[0], a[1] - b[1]), turn(-math.pi * (k / half + 0.5)))
    out_re[k], out_im[k] = (even[0] + odd[0]) >> 1, (even[1] + odd[1]) >> 1
    out_re[half - k], out_im[half - k] = (even[0] - odd[0]) >> 1, (odd[1] - even[1]) >> 1
    return [int(r) ** 2 + int(i) ** 2 for r, i in zip(out_re, out_im, strict=True)]


class Filterbank:
    """Every bin's weight in the channel that it rises to, and the rest in the next."""

    def __init__(self, params: FeatureParams, fft_length: int):
        def mel(hz: float) -> np.float32:
            return np.float32(1127.0 * math.log1p(np.float32(hz) / np.float32(700)))

        count = params.feature_bin_count + 1
        low, high = mel(params.lower_band_limit_hz), mel(params.upper_band_limit_hz)
        spacing = np.float32((high - low) / np.float32(count))
        centres = [np.float32(low + spacing * np.float32(c + 1)) for c in range(count)]
        bin_hz = np.float32(0.5 * params.sample_rate / np.float32(fft_length // 2))
        index = int(1.5 + np.float32(params.lower_band_limit_hz) / bin_hz)
        self.bins: list[list[tuple[int, int, int]]] = []
        for c, centre in enumerate(centres):
            below = low if c == 0 else centres[c - 1]
            weights = []
            while mel(index * bin_hz) <= centre:
                weight = np.float32((centre - mel(index * bin_hz)) / (centre - below))
                scale = 1 << FILTERBANK_BITS
                falling = math.floor(np.float32(1) * weight * scale + 0.5)
                weights.append((index, falling, math.floor((1.0 - weight) * scale + 0.5)))
                index += 1
            self.bins.append(weights)

    def roots(self, energies: list[int]) -> list[int]:
        sums, carried = [], 0
        for weights in self.bins:
            sums.append(carried + sum(falling * energies[i] for i, falling, _ in weights))
            carried = sum(rising * energies[i] for i, _, rising in weights)
        roots = [math.isqrt(value) for value in sums[1:]]
        return [r + (v - r * r > r) for r, v in zip(roots, sums[1:], strict=True)]


def reduced(signal: list[int], estimate: np.ndarray, params: FeatureParams) -> list[int]:
    """Subtracts the noise estimate, which is updated in place."""
    one = 1 << NOISE_BITS
    least = int(np.float32(params.min_signal_remaining) * one)
    out = []
    for c, value in enumerate(signal):
        smoothing = int(np.float32((params.even_smoothing, params.odd_smoothing)[c % 2]) * one)
        scaled = value << params.smoothing_bits
        noise = (scaled * smoothing + int(estimate[c]) * (one - smoothing)) >> NOISE_BITS
        estimate[c] = noise
        kept = (scaled - min(noise, scaled)) >> params.smoothing_bits
        out.append(max(kept, (value * least) >> NOISE_BITS))
    return out


class Gains:
    """Per-channel amplitude normalization: a gain by the noise estimate, from parabolas."""

    def __init__(self, params: FeatureParams, correction: int):
        self.params, self.input_bits = params, params.smoothing_bits - correction
        self.snr_shift = params.gain_bits - correction - SNR_BITS

    def curve(self, x: int) -> int:
        p = self.params
        offset = np.float32(np.float32(x) / np.float32(1 << self.input_bits) + p.pcan_offset)
        power = np.float32(np.power(offset, np.float32(-p.pcan_strength)))
        gain = np.float32(1 << p.gain_bits) * power
        return 0x7FFF if gain > 0x7FFF else int(gain + np.float32(0.5))

    def at(self, x: int) -> int:
        if x < 2:
            return self.curve(x)
        octave = x.bit_length()
        x0 = 1 << (octave - 1)
        y0, y1 = self.curve(x0), self.curve(x0 + (x0 >> 1))
        rise = self.curve(x0 + x0 - 1 if octave == 32 else 2 * x0) - y0
        a1 = 4 * (y1 - y0) - rise
        a2 = rise - a1
        if x == 2:
            return y0
        fraction = (x << (11 - octave) if octave < 11 else x >> (octave - 11)) & 0x3FF
        return ((((a2 * fraction >> 5) + (a1 << 5)) * fraction + (1 << 14)) >> 15) + y0

    def apply(self, signal: int, estimate: int) -> int:
        snr = (signal * self.at(estimate)) >> self.snr_shift
        if snr < 2 << SNR_BITS:
            return snr * snr >> (2 + 2 * SNR_BITS - PCAN_BITS)
        return (snr >> (SNR_BITS - PCAN_BITS)) - (1 << PCAN_BITS)


def logarithm(x: int, scale_shift: int) -> int:
    """ln x times two to the scale_shift; log2 by a table of 128 segments."""
    if x <= 1:
        return 0
    whole = x.bit_length() - 1
    fraction = x - (1 << whole)
    fraction = fraction << (16 - whole) if whole < 16 else fraction >> (whole - 16)
    segment = fraction >> 9
    here, there = (
        round((math.log2(1 + i / LOG_SEGMENTS) - i / LOG_SEGMENTS) * 65536)
        for i in (segment, segment + 1)
    )
    fraction += here + ((there - here) * (fraction - (segment << 9)) >> 16)
    natural = (LOG_E_OF_2 * ((whole << 16) + fraction) + (1 << 15)) >> 16
    return ((natural << scale_shift) + (1 << 15)) >> 16
