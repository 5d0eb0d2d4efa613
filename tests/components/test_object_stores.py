"""TFX's `fileio` on a server that speaks S3, against the same calls on folders of this machine."""

import http.server
import json
import os
import threading
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components import object_stores
from kws.bundle.destinations import open_destination
from kws.bundle.registry import Registry
from kws.errors import KwsError
from tests.pipeline.kubeflow_cluster import Cluster, TaskFailed
from tests.pipeline.object_stores import KEY, KEY_ID, Objects, serving_s3


@pytest.fixture(params=["s3", "minio"])
def bucket(request, tmp_path, monkeypatch) -> str:
    with serving_s3(tmp_path / "store") as objects:
        objects.make_bucket("bucket")
        monkeypatch.setenv("AWS_ENDPOINT_URL", objects.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        # As the page of MinIO leaves it where somebody makes a folder.
        objects.put_marker("s3://bucket/data/words")
        yield f"{request.param}://bucket/data"


def laid(root):
    """Two words and a list, written by `fileio`."""
    for name in ("words/yes/a.wav", "words/yes/b.wav", "words/no/a.wav", "words/list.txt"):
        fileio.makedirs(os.path.dirname(f"{root}/{name}"))
        with fileio.open(f"{root}/{name}", "wb") as file:
            file.write(name.encode())
    return root


def seen(root):
    """What reads make of it, without the names of the root."""

    def inside(paths):
        return sorted(path.replace(root, "") for path in paths)

    walked = [(folder.replace(root, ""), sorted(dirs), sorted(files))
              for folder, dirs, files in fileio.walk(f"{root}/words")]  # fmt: skip
    return {
        "glob": inside(fileio.glob(f"{root}/words/*")),
        "glob of files": inside(fileio.glob(f"{root}/words/*/*.wav")),
        "list": sorted(name.rstrip("/") for name in fileio.listdir(f"{root}/words")),
        "walk": sorted(walked),
        "folders": [fileio.isdir(f"{root}/{name}") for name in ("words", "words/yes", "other")],
        "there": [fileio.exists(f"{root}/words/{name}") for name in ("list.txt", "yes", "c")],
        "length": fileio.stat(f"{root}/words/yes/a.wav").length,
        "text": fileio.open(f"{root}/words/list.txt").read(),
        "sizes": [(name, size) for name, size, _ in object_stores.listing(f"{root}/words")],
    }


def test_a_bucket_reads_as_a_folder_does(bucket, tmp_path):
    assert seen(laid(bucket)) == seen(laid(str(tmp_path)))
    assert io_utils.generate_fingerprint("all", f"{bucket}/words/*/*").startswith(
        "split:all,num_files:3,total_bytes:44,"
    )


def test_files_are_copied_into_it_within_it_and_removed(bucket, tmp_path):
    laid(str(tmp_path))
    io_utils.copy_dir(str(tmp_path / "words"), f"{bucket}/copy")
    fileio.copy(f"{bucket}/copy/list.txt", f"{bucket}/again")
    fileio.rename(f"{bucket}/again", f"{bucket}/moved")
    assert fileio.open(f"{bucket}/moved", "rb").read() == b"words/list.txt"
    with pytest.raises(OSError, match="exists"):
        fileio.copy(f"{bucket}/copy/list.txt", f"{bucket}/moved")
    fileio.rmtree(f"{bucket}/copy")
    assert not fileio.exists(f"{bucket}/copy") and not fileio.exists(f"{bucket}/again")
    with pytest.raises(fileio.NotFoundError):
        fileio.open(f"{bucket}/nothing")


def test_verdicts_and_bundles_are_kept_in_it(bucket):
    registry = Registry(f"{bucket}/bundles")
    assert registry.verdict("f") is None
    registry.keep_verdict("f", {"verdict": "pushed"})
    assert registry.verdict("f") == {"verdict": "pushed"}
    bundles = open_destination(f"{bucket}/bundles")
    assert bundles.served() is None and not bundles.versions()
    assert bundles.place("1") == f"{bucket}/bundles/1"


def test_minio_without_a_server_says_what_is_missing(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(KwsError, match="AWS_ENDPOINT_URL is not set"):
        fileio.exists("minio://bucket/data")


class Gcs(http.server.BaseHTTPRequestHandler):
    """As much of Google's JSON API as lists and deletes objects of one bucket."""

    objects: ClassVar[dict[str, int]] = {}

    def log_message(self, *args):
        pass

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        items = [
            {"name": name, "size": str(size), "bucket": "bucket"}
            for name, size in sorted(self.objects.items())
            if name.startswith(query["prefix"][0])
        ]
        self._answer(json.dumps({"kind": "storage#objects", "items": items}).encode())

    def do_DELETE(self):
        del self.objects[unquote(urlsplit(self.path).path.rpartition("/")[2])]
        self._answer(b"")

    def _answer(self, body):
        self.send_response(200 if body else 204)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_marks_of_folders_are_removed_from_an_artifact_and_nothing_else(monkeypatch):
    kept = {
        "runs/examples/Split-train/a.gz": 7,
        "runs/examples/empty.json": 0,
        "runs/examples2/": 0,
    }
    Gcs.objects = {"runs/examples/": 0, "runs/examples/Split-train/": 0, **kept}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gcs) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_address[1]}")
        removed = object_stores.remove_folder_markers("gs://bucket/runs/examples")
        server.shutdown()
    assert removed == ["runs/examples/", "runs/examples/Split-train/"]
    assert Gcs.objects == kept
    assert object_stores.remove_folder_markers("s3://bucket/runs/examples") == []


@pytest.mark.parametrize("version", ["2.5", "2.17"])
def test_a_launcher_takes_such_a_mark_for_a_file(tmp_path, version):
    """Why they are removed: the stand-in for the launcher does as the real one."""
    objects = Objects(tmp_path / "store")
    (tmp_path / "a.gz").write_bytes(b"content")
    objects.put("gs://bucket/runs/examples/a.gz", tmp_path / "a.gz")
    spec = {
        "pipelineInfo": {"name": "p"},
        "root": {"inputDefinitions": {"parameters": {}}, "dag": {"tasks": {}}},
    }
    run = Cluster(spec, tmp_path, version=version, objects=objects)
    run.outputs["Ingest"] = {"examples": {"uri": "gs://bucket/runs/examples"}}
    assert (run.uri("Ingest", "examples") / "a.gz").read_bytes() == b"content"

    objects.put_marker("gs://bucket/runs/examples")
    marked = Cluster(spec, tmp_path / "marked", version=version, objects=objects)
    marked.outputs = run.outputs
    with pytest.raises(TaskFailed, match=r"failed to download gs://bucket/runs/examples/a\.gz"):
        marked.uri("Ingest", "examples")
