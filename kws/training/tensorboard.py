"""TensorBoard: scalars, the confusion matrix and a few augmented inputs as pictures."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kws.training.callbacks import EpochReport, StepReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXAMPLES_DRAWN = 8


class TensorBoard:
    """A `Progress` that writes TensorBoard's files, in subfolders `train` and `eval`."""

    def __init__(self, folder: str):
        import tensorflow as tf

        self._writers = {
            name: tf.summary.create_file_writer(f"{folder}/{name}") for name in ("train", "eval")
        }

    def on_inputs(self, inputs: np.ndarray, said: Sequence[str]) -> None:
        """Draws the first clips of a batch as the model hears them, once a training.

        Args:
          inputs: float32 `[batch, frames, channels]`, augmented.
          said: what each is, for its title.
        """
        self._draw("train", 0, "augmented inputs", _inputs_figure(inputs, said))

    def on_step(self, report: StepReport) -> None:
        if report.step % 10 == 0 or report.step == report.total_steps:
            self._write("train", report.step, learning_rate=report.learning_rate)
            self._write("train", report.step, examples_per_second=report.examples_per_second)

    def on_epoch(self, report: EpochReport, labels: Sequence[str]) -> None:
        self._write(
            "train", report.step, accuracy=report.accuracy, cross_entropy=report.cross_entropy
        )
        self._write(
            "eval",
            report.step,
            accuracy=report.eval_accuracy,
            cross_entropy=report.eval_cross_entropy,
            **report.metrics,
        )
        figure = _confusion_figure(np.asarray(report.confusion), labels)
        self._draw("eval", report.step, "confusion matrix", figure)
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def _write(self, writer: str, step: int, **scalars: float) -> None:
        import tensorflow as tf

        with self._writers[writer].as_default(step=step):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)

    def _draw(self, writer: str, step: int, name: str, figure: "Figure") -> None:
        import tensorflow as tf

        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=80)
        with self._writers[writer].as_default(step=step):
            tf.summary.image(name, tf.image.decode_png(png.getvalue(), channels=3)[None])


def _confusion_figure(counts: np.ndarray, labels: Sequence[str]) -> "Figure":
    """Shades are shares of a row: of what was said."""
    from matplotlib.figure import Figure

    side = 2.5 + 0.45 * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("recognized")
    axes.set_ylabel("said")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    return figure


def _inputs_figure(inputs: np.ndarray, said: Sequence[str]) -> "Figure":
    from matplotlib.figure import Figure

    shown = min(EXAMPLES_DRAWN, len(inputs))
    figure = Figure(figsize=(10, 5), layout="constrained")
    for number in range(shown):
        axes = figure.add_subplot(2, -(-shown // 2), number + 1)
        axes.imshow(inputs[number].T, origin="lower", aspect="auto", interpolation="nearest")
        axes.set_title(said[number], fontsize=9)
        axes.set_xlabel("frame", fontsize=8)
        axes.set_ylabel("channel", fontsize=8)
    return figure
