"""Loudness: is what was decoded on the scale that it should be, and do its channels add up?

Float recordings have full scale 1; some programs write the numbers of int16 as they are (SciPy's
`wavfile.write(path, rate, samples.astype(np.float32))`). Stereo whose channels are each other's
negative (a balanced microphone on a stereo plug) is silence when it is averaged.
"""

import numpy as np

from kws.audio.container import Note, Unreadable

FULL_SCALE = 32768.0
LARGEST_FLOAT = 16.0
"""A float recording may be 24 dB over full scale; more is another scale."""
LARGEST_INT16 = 1.5 * FULL_SCALE
"""Resampling and mixing go beyond the range of int16 by so much at most."""
CANCELLED = 0.2
"""The average has less than this share of the power that it has for channels without relation."""

FEWEST_FRAMES = 100
"""In fewer, sounds that have nothing to do with each other may cancel by chance."""
AS_LOUD = 0.9
"""Powers that are as good as equal."""


class ChannelPowers:
    """Adds up the power of each channel and of their average, about their means.

    Attributes:
      frames: how many were added (of one channel none are).
    """

    def __init__(self, channels: int):
        self._sums = np.zeros((2, channels + 1))
        self._channels, self.frames = channels, 0

    def add(self, block: np.ndarray) -> None:
        """Takes samples `[frames, channels]`."""
        if self._channels == 1 or not len(block):
            return
        with np.errstate(over="ignore", invalid="ignore"):
            for number, channel in enumerate([*block.T, block.mean(axis=1)]):
                wide = channel.astype(np.float64)
                self._sums[:, number] += wide.sum(), np.dot(wide, wide)
        self.frames += len(block)

    def channel_to_take(self) -> int | None:
        """The first of the loudest, where the channels cancel each other; else None: averaged."""
        if self.frames < FEWEST_FRAMES:
            return None
        mean, square = self._sums / self.frames
        powers = np.maximum(square - mean**2, 0)
        unrelated = powers[:-1].mean() / self._channels
        if not np.isfinite(powers).all() or powers[-1] >= CANCELLED * unrelated:
            return None
        # Of two that are as loud, always the same one.
        return int((powers[:-1] >= AS_LOUD * powers[:-1].max()).argmax())

    def notes(self) -> tuple[Note, ...]:
        """Which channel was taken, if one was."""
        channel = self.channel_to_take()
        if channel is None:
            return ()
        detail = f"its {self._channels} channels cancel each other: channel {channel + 1} was taken"
        return (Note("one_channel", detail),)


class Peak:
    """The largest magnitude of blocks, and whether all of their samples are whole numbers."""

    def __init__(self) -> None:
        self._largest, self._whole = 0.0, True

    def add(self, block: np.ndarray) -> None:
        """Takes samples of any shape.

        Raises:
          Unreadable: `not_finite`.
        """
        if block.dtype == np.int16 or not block.size:
            return
        largest = float(np.abs(block).max())
        if not np.isfinite(largest):
            raise Unreadable("not_finite", "a sample is NaN or infinite")
        self._largest = max(self._largest, largest)
        if self._largest > 1:  # Below, whole numbers are silence.
            self._whole = self._whole and bool((block == np.rint(block)).all())

    def scale(self) -> float:
        """What full scale is in these: 1, or that of int16.

        Raises:
          Unreadable: `out_of_range`.
        """
        if self._largest <= (1 if self._whole else LARGEST_FLOAT):
            return 1.0
        if self._largest <= LARGEST_INT16:
            return FULL_SCALE
        raise Unreadable(
            "out_of_range", f"float samples up to {self._largest:.3g}, full scale is 1 (or 32768)"
        )


def scale_notes(scale: float) -> tuple[Note, ...]:
    """That a recording was scaled, if it was."""
    if scale == 1:
        return ()
    return (Note("rescaled_float", "float samples in the range of int16, scaled to full scale 1"),)
