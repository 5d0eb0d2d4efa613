"""The process environment that TensorFlow must find before it is first imported.

Every entry point (console script, runner, module file, test) imports `kws` first, so this is the
one place. Keras 2 is needed because the int8 conversion of Keras 3 models aborts the process in
TensorFlow 2.16 to 2.21.
"""

import os
import sys
import warnings

from kws.errors import KwsError


def prepare() -> None:
    """Selects Keras 2 and quiets TensorFlow's start-up; harmless to call again.

    Raises:
      KwsError: TensorFlow was imported before and had selected Keras 3.
    """
    if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        raise KwsError(
            "TensorFlow was imported before kws and has selected Keras 3",
            hint="import kws first, or set TF_USE_LEGACY_KERAS=1 in the environment",
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    # 3: at 2 every start still prints three lines about CUDA plug-ins registered twice.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Libraries that tell the user of *our* lock file to upgrade their Python are noise to them.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\..*")
    warnings.filterwarnings("ignore", category=UserWarning, message="pkg_resources is deprecated")
