"""TFX components: a folder each, a spec and a thin executor."""

import kws  # noqa: F401  # selects Keras 2 before TFX imports TensorFlow
