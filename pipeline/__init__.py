"""The pipeline: configuration, wiring, runners, results."""

import kws  # noqa: F401  # selects Keras 2 before TFX imports TensorFlow
