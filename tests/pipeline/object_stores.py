"""Object stores of the stand-in for a cluster: flat names, no folders; and one that speaks S3."""

import itertools
import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

KEY_ID, KEY = "standin", "standin-secret"


class Objects:
    """Objects by their URLs, each a file of a folder here."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._numbers = itertools.count()

    def put(self, url: str, file: Path) -> None:
        """Uploads a file."""
        stored = self._folder / str(next(self._numbers))
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, stored)
        self._files[url] = stored

    def put_marker(self, folder: str) -> None:
        """Makes the zero-byte object that some clients take for a folder."""
        empty = self._folder / "empty"
        self._folder.mkdir(parents=True, exist_ok=True)
        empty.touch()
        self.put(f"{folder}/", empty)

    def get(self, url: str, file: Path) -> None:
        """Downloads to a file, as Go's os.Create and os.MkdirAll would make it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._files[url], file)

    def list(self, prefix: str) -> list[str]:
        """URLs that begin so, in order."""
        return sorted(url for url in self._files if url.startswith(prefix))


class S3Objects(Objects):
    """Objects of a server that speaks S3; the scheme of a URL is what the caller calls it."""

    def __init__(self, folder: Path, endpoint: str):
        super().__init__(folder)
        self.endpoint = endpoint
        self.requests: list[str] = []
        boto3 = pytest.importorskip("boto3")
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=KEY,
        )

    def make_bucket(self, name: str) -> None:
        self._client.create_bucket(Bucket=name)

    def put(self, url: str, file: Path) -> None:
        bucket, key = _split(url)
        self._client.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())

    def get(self, url: str, file: Path) -> None:
        bucket, key = _split(url)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def list(self, prefix: str) -> list[str]:
        bucket, key = _split(prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        scheme = prefix.partition("://")[0]
        found = (one["Key"] for page in pages for one in page.get("Contents", []))
        return [f"{scheme}://{bucket}/{name}" for name in sorted(found)]

    def put_folder(self, folder: Path, url: str) -> None:
        """Uploads the files of a folder."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(f"{url}/{path.relative_to(folder).as_posix()}", path)


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.partition("://")[2].partition("/")
    return bucket, key


@contextmanager
def serving_s3(folder: Path) -> Iterator[S3Objects]:
    """A loopback server with no bucket; skips the test where moto is not installed."""
    moto = pytest.importorskip("moto.server", reason="pip install 'moto[s3]' flask flask-cors s3fs")
    pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        # The buckets of moto are those of the process.
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"))
        yield S3Objects(folder, endpoint)
    finally:
        server.stop()


SECRETS: Mapping[str, Mapping[str, str]] = {
    "mlpipeline-minio-artifact": {"accesskey": KEY_ID, "secretkey": KEY}
}
"""The secret that an installation of Kubeflow Pipelines has for its store."""
