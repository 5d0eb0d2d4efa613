"""Keras 2 is in use, whoever imports TensorFlow, or it is said before anything aborts."""

import subprocess
import sys

CODE = """
import os
os.environ.pop("TF_USE_LEGACY_KERAS", None)
{first}
import kws._environment
try:
    kws._environment.require_keras_2()
    print("keras 2")
except kws.errors.KwsError as error:
    print(error.message)
"""


def run(first: str) -> str:
    command = [sys.executable, "-c", CODE.format(first=first)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_importing_kws_first_selects_keras_2():
    assert run("import kws, tensorflow") == "keras 2\n"


def test_keras_3_loaded_before_is_refused_in_a_sentence():
    said = run("import tensorflow; tensorflow.keras.Model")
    assert said.startswith("TensorFlow has selected Keras 3")
