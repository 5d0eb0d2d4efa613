"""Keyword spotters for microcontrollers: the domain, audio in, words out. No TFX, no Beam."""

from kws import _environment

__version__ = "0.2.0"

_environment.prepare()
