"""Models of the tests of `kws.runtime`, for the tests of this folder too."""

from tests.kws.runtime.conftest import *  # noqa: F403
