"""The process environment that TensorFlow must find before it is first imported.

Every entry point (console script, runner, module file, test) imports `kws` first, so this is the
one place. Keras 2 is needed because the int8 conversion of Keras 3 models aborts the process in
TensorFlow 2.16 to 2.21.
"""

import os
import warnings

from kws.errors import KwsError


def prepare() -> None:
    """Selects Keras 2 and quiets TensorFlow's start-up; harmless to call again."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    # 3: at 2 every start still prints three lines about CUDA plug-ins registered twice.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Libraries that tell the user of *our* lock file to upgrade their Python are noise to them.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\..*")
    warnings.filterwarnings("ignore", category=UserWarning, message="pkg_resources is deprecated")


def require_keras_2() -> None:
    """For whoever builds or converts a model: before Keras 3 aborts the process.

    Raises:
      KwsError: TensorFlow was imported, and had settled on Keras 3, before kws was.
    """
    import tensorflow as tf

    package = tf.keras.Model.__module__.split(".")[0]
    if package != "tf_keras":  # the package of Keras 2
        raise KwsError(
            f"TensorFlow has selected Keras 3 (package {package}); Keras 2 is needed",
            hint="import kws before TensorFlow, or set TF_USE_LEGACY_KERAS=1 in the environment",
        )
