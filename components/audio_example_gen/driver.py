"""TFX AudioExampleGen driver: TFX's own, for folders that TensorFlow cannot list as well."""

import os
from collections.abc import Iterable

from tfx.components.example_gen import driver, input_processor
from tfx.dsl.io import filesystem
from tfx.proto import example_gen_pb2, range_config_pb2

from components import staging
from kws.corpus.digests import fingerprint
from kws.corpus.listing import list_files


class Driver(driver.FileBasedDriver):
    """As the `FileBasedDriver`, but one name that is not UTF-8, or a link to nothing, does not end
    the run: the executor quarantines such files by name."""

    def get_input_processor(
        self,
        splits: Iterable[example_gen_pb2.Input.Split],
        range_config: range_config_pb2.RangeConfig | None = None,
        input_base_uri: str | None = None,
    ) -> input_processor.InputProcessor:
        """See the base class."""
        assert input_base_uri
        return _InputProcessor(input_base_uri, splits, range_config)


class _InputProcessor(input_processor.FileBasedInputProcessor):
    def resolve_span_and_version(self) -> tuple[int, int | None]:
        """TFX's span, version and fingerprint; of a folder without spans that TensorFlow cannot
        list, a fingerprint over the names, sizes and times of its files."""
        try:
            return super().resolve_span_and_version()
        except (UnicodeDecodeError, filesystem.NotFoundError):
            if self._is_match_span or self._is_match_date or staging.is_url(self._input_base_uri):
                raise
        base = os.path.realpath(self._input_base_uri)
        self._fingerprint = f"files:{fingerprint(base, list_files(base).files)}"
        return 0, None
