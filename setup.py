"""For Beam's distributed runners, which ship the packages to their workers by `--setup_file`.

Everything is declared in pyproject.toml.
"""

from setuptools import setup

setup()
