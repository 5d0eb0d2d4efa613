"""Metrics for TFMA: the 95 % bound of precision, recall and false-positive rate that is the worse.

Exact bounds of Clopper and Pearson, as everywhere in the product (`kws.streaming.rates.share`). A
class without a single clip has the bounds 0 and 1: it passes no limit that means anything.
"""

import tensorflow_model_analysis as tfma

from kws.streaming.rates import share


class PrecisionLow(tfma.metrics.Precision):
    """Lower bound of the share of a class's decisions that are right."""

    def result(self, tp: float, tn: float, fp: float, fn: float) -> float:
        return share(round(tp), round(tp + fp)).low


class RecallLow(tfma.metrics.Recall):
    """Lower bound of the share of a class's clips that are found."""

    def result(self, tp: float, tn: float, fp: float, fn: float) -> float:
        return share(round(tp), round(tp + fn)).low


class FalsePositiveRateHigh(tfma.metrics.FPR):
    """Upper bound of the share of all other clips that are taken for the class."""

    def result(self, tp: float, tn: float, fp: float, fn: float) -> float:
        return share(round(fp), round(fp + tn)).high
