"""What trains: a GPU where TensorFlow sees one, else the processor's cores."""

import logging
import os

log = logging.getLogger(__name__)


def prepare() -> str:
    """Has TensorFlow take a GPU's memory as it needs it, not all at once, and logs what trains.

    To be called before TensorFlow's first operation. Where it comes later, the memory stays as it
    was taken. The loop is not spread over several GPUs: the first one trains.

    Returns:
      The device in words, as it is logged.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # TensorFlow has initialised it already
            log.warning("%s has its memory already", gpu.name)
    if gpus:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "unnamed")
        idle = f"; {len(gpus) - 1} more are not used" if len(gpus) > 1 else ""
        words = f"GPU {name}{idle}"
    else:
        words = f"CPU, {os.cpu_count()} cores: TensorFlow sees no GPU"
    log.info("Training on %s", words)
    return words
