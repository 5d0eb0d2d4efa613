"""Keyword spotters for microcontrollers: the domain, audio in and words out. Imports no TFX, no Beam."""

from kws import _environment

__version__ = "0.1.0"

_environment.prepare()
