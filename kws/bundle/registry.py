"""What was trained and shipped at a destination: the one memory that runs have of earlier runs.

    <destination>/LATEST, <destination>/<version>/...               see `kws.bundle.destination`
    <destination>/registry/models/<version>[-<training>].zip        float model behind a bundle
    <destination>/registry/statistics/<span>-<number>-<digest>.pb   accepted statistics of train
    <destination>/registry/verdicts/<fingerprint>.json              outcome of a retraining

Every entry is one file that is written in one step, so a reader sees all of it or nothing. What
has to be known of an entry before it is read is in its name.

A model is in service if it is the served version or an older one: versions above `LATEST` were
rolled back. A run that is repeated finds its own results here. It must neither be compared with
them nor start from them, and it must find what it found the first time, or its steps would be
executed again for nothing. So each lookup ignores everything from its own first result on.
"""

import dataclasses
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from kws.bundle.destination import SUMS_FILE, is_version
from kws.bundle.destinations import NEEDED
from kws.bundle.manifest import MANIFEST_FILE
from kws.bundle.versions import Place, open_place
from kws.errors import KwsError
from kws.features.params import FRONTEND_FILE, FeatureParams
from kws.runtime.int8_file import MODEL_FILE

_MODELS, _STATISTICS, _VERDICTS = (
    f"registry/{kind}" for kind in ("models", "statistics", "verdicts")
)
_MODEL_NAME = re.compile(r"(\d+)(?:-([0-9a-f]+))?\.zip")
_STATISTICS_NAME = re.compile(r"(\d+)-(\d+)-([0-9a-f]+)\.pb")
_DIGEST_CHARACTERS = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Statistics:
    """What the name of kept statistics says."""

    name: str
    span: int
    number: int
    digest: str


class Registry:
    """Reads and writes the entries of one destination."""

    def __init__(self, place: Place):
        """Opens a registry, which may be empty.

        Args:
          place: the destination that bundles are pushed to.

        Raises:
          KwsError: a URL of a scheme that is not known, or whose client is not installed.
        """
        self._destination = open_place(place)
        self.url = self._destination.url
        self._digests: dict[str, str | None] = {}

    # --- statistics ---

    def keep_statistics(self, span: int, content: bytes) -> None:
        """Keeps accepted statistics of a span (0 without spans), unless they are its last ones."""
        kept, digest = self._kept_statistics(), _digest(content)
        of_span = [one for one in kept if one.span == span]
        if not of_span or of_span[-1].digest != digest:
            number = kept[-1].number + 1 if kept else 1
            self._destination.save(_STATISTICS, f"{span}-{number}-{digest}.pb", content)

    def previous_statistics(self, span: int, content: bytes) -> str | None:
        """Which statistics drift is measured from.

        Those of the latest earlier span come first; otherwise, as in a corpus without spans, it is
        the last ones that were kept.

        Args:
          span: of the current statistics.
          content: the current statistics; if they were kept before, only older ones are found.

        Returns:
          A name for `statistics`; None if there are none.
        """
        kept, own = self._kept_statistics(), _digest(content)
        older = _before(kept, lambda one: (one.span, one.digest) == (span, own))
        earlier = [one for one in older if one.span < span]
        if earlier:
            return max(earlier, key=lambda one: (one.span, one.number)).name
        return older[-1].name if older else None

    def statistics(self, name: str) -> tuple[int, bytes]:
        """Span and content of kept statistics."""
        return int(name.partition("-")[0]), self._destination.read(_STATISTICS, name)

    def _kept_statistics(self) -> list[_Statistics]:
        """All of them, the oldest first."""
        matches = map(_STATISTICS_NAME.fullmatch, self._destination.names(_STATISTICS))
        found = [
            _Statistics(name=match[0], span=int(match[1]), number=int(match[2]), digest=match[3])
            for match in matches
            if match
        ]
        return sorted(found, key=lambda one: one.number)

    # --- models in service ---

    def last_model(self, candidate: bytes, features: FeatureParams | None = None) -> str | None:
        """The version that a candidate is compared with.

        Args:
          candidate: content of its `model.tflite`; if it was pushed before, only older versions
            are found.
          features: only a model of these features is found. A model of other features cannot be
            judged on the candidate's clips, only on streams.

        Returns:
          The newest version in service; one whose files are gone is skipped. None if there is none.
        """
        own = hashlib.sha256(candidate).hexdigest()
        older = _before(self._in_service(), lambda one: self._model_digest(one) == own)
        return next(filter(lambda one: self._is_usable(one, features), reversed(older)), None)

    def bundle(self, version: str) -> AbstractContextManager[Path]:
        """A folder on this machine with the version's files, as long as the context lasts."""
        return self._destination.fetched(version)

    def _in_service(self) -> list[str]:
        """The served version and those before it, the oldest first."""
        served = self._destination.served()
        if served is None:
            return []
        return [name for name in self._destination.versions() if int(name) <= int(served)]

    def _model_digest(self, version: str) -> str | None:
        """SHA-256 of the version's `model.tflite`, as its checksums have it; read once."""
        if version not in self._digests:
            try:
                content = self._destination.read(version, SUMS_FILE).decode("utf-8", "replace")
            except FileNotFoundError:
                content = ""
            listed = (line.partition("  ") for line in content.splitlines())
            found = (digest for digest, _, name in listed if name == MODEL_FILE)
            self._digests[version] = next(found, None)
        return self._digests[version]

    def _is_usable(self, version: str, features: FeatureParams | None) -> bool:
        try:
            read = {
                name: self._destination.read(version, name) for name in (*NEEDED, MANIFEST_FILE)
            }
        except FileNotFoundError:
            return False
        if features is None:
            return True
        try:
            return FeatureParams.from_json(read[FRONTEND_FILE]) == features
        except ValueError:  # by a release whose frontends had other parameters
            return False

    # --- float models ---

    def keep_float_model(self, version: str, folder: Path, training: str = "") -> None:
        """Keeps the float model that a bundle was made of, unless it is kept already.

        Args:
          version: of the bundle.
          folder: as `kws.training.saved_model` wrote it.
          training: digest (hexadecimal) of the data and settings that it was trained with, by
            which `base_version` knows it; "" if no training could find itself.
        """
        if version in self._kept_models():
            return
        name = f"{version}-{training}.zip" if training else f"{version}.zip"
        with tempfile.TemporaryDirectory(prefix="kws-float-model-") as place:
            packed = shutil.make_archive(f"{place}/model", "zip", folder)
            self._destination.save(_MODELS, name, Path(packed).read_bytes())

    def base_version(self, training: str = "") -> str | None:
        """The version whose float model a training starts from.

        Args:
          training: digest of its data and settings; if a version was trained with just these, only
            older versions are found.

        Returns:
          The newest version in service; None if there is none, or if its float model was not kept,
          as after a push by hand.
        """
        kept = self._kept_models()
        older = _before(
            self._in_service(),
            lambda one: bool(training) and kept.get(one) == f"{one}-{training}.zip",
        )
        return older[-1] if older and older[-1] in kept else None

    @contextmanager
    def float_model(self, version: str) -> Iterator[Path]:
        """A temporary folder with the files of a kept float model.

        Raises:
          KwsError: what was kept is not a zip file.
        """
        name = self._kept_models()[version]
        with tempfile.TemporaryDirectory(prefix="kws-float-model-") as place:
            packed, folder = Path(place, "model.zip"), Path(place, "model")
            packed.write_bytes(self._destination.read(_MODELS, name))
            try:
                shutil.unpack_archive(packed, folder, "zip")
            except shutil.ReadError as error:
                raise self._damaged(f"{_MODELS}/{name}", "a zip file") from error
            yield folder

    def _kept_models(self) -> dict[str, str]:
        """Version -> name of the file."""
        matches = map(_MODEL_NAME.fullmatch, self._destination.names(_MODELS))
        return {match[1]: match[0] for match in matches if match and is_version(match[1])}

    # --- verdicts ---

    def keep_verdict(self, fingerprint: str, verdict: dict[str, Any]) -> None:
        """Keeps what came of a retraining: by the fingerprint of all that it was made of."""
        content = json.dumps(verdict, indent=2) + "\n"
        self._destination.save(_VERDICTS, f"{fingerprint}.json", content.encode())

    def verdict(self, fingerprint: str) -> dict[str, Any] | None:
        """The verdict on what has this fingerprint; None if there is none yet.

        Raises:
          KwsError: what was kept is not a JSON object.
        """
        try:
            return dict(json.loads(self._destination.read(_VERDICTS, f"{fingerprint}.json")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise self._damaged(f"{_VERDICTS}/{fingerprint}.json", "a JSON object") from error

    def _damaged(self, name: str, what: str) -> KwsError:
        return KwsError(
            f"{self.url}/{name} is not {what}", hint="remove it: it is as if it was never kept"
        )


def _before(entries: list[Any], is_own: Callable[[Any], bool]) -> list[Any]:
    """The entries, the oldest first, up to the first of one's own."""
    for number, entry in enumerate(entries):
        if is_own(entry):
            return entries[:number]
    return entries


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST_CHARACTERS]
