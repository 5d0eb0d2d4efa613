"""A loopback server with the part of the KFP v2beta1 REST API that `kws kubeflow` uses.

It keeps pipelines, versions, experiments, runs and recurring runs in memory, by the paths, field
names and status codes of the API's published definition, and records every request.
"""

import base64
import dataclasses
import itertools
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = "/apis/v2beta1"


@dataclasses.dataclass
class Request:
    """What the client sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in small letters
    body: Any


class Server(ThreadingHTTPServer):
    """The state, and how it is installed.

    Attributes:
      refuse: path prefix -> status and message that it answers instead.
      multi_user: an experiment needs a namespace.
      audience: of the tokens that it takes; "": it asks for none.
      cookie: without it, or a token, it asks for a login, as Dex or oauth2-proxy before it do.
      logs: of pods, by their names.
    """

    daemon_threads = True

    def __init__(self, certificate: Path | None = None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self._scheme = "https"
        self.multi_user, self.audience, self.cookie = False, "", ""
        self.logs: dict[str, str] = {}
        self.requests: list[Request] = []
        self.pipelines: dict[str, dict] = {}
        self.versions: dict[str, dict] = {}
        self.experiments: dict[str, dict] = {}
        self.runs: dict[str, dict] = {}
        self.recurring: dict[str, dict] = {}
        self.refuse: dict[str, tuple[int, str]] = {}
        self._ids = itertools.count(1)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_address[1]}"

    def new_id(self, kind: str) -> str:
        return f"{kind}-{next(self._ids)}"

    def sent(self, method: str, path: str) -> list[Request]:
        """The requests of a method to a path below the API's root."""
        return [r for r in self.requests if (r.method, r.path) == (method, ROOT + path)]


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    """Runs as long as the context lasts; with a certificate and its key, by HTTPS."""
    server = Server(certificate)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *args):
        pass

    def do_GET(self):
        self._answer("GET")

    def do_POST(self):
        self._answer("POST")

    def do_DELETE(self):
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        multipart = "multipart" in self.headers.get("Content-Type", "")
        body = raw if multipart else json.loads(raw) if raw else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method, parts.path, query, headers, body)
        self.server.requests.append(request)
        status, content = self._respond(request)
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _respond(self, request: Request) -> tuple[int, Any]:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.server.cookie and not token and request.headers.get("cookie") != self.server.cookie:
            return 302, {"Found": "/dex/auth"}
        if self.server.audience and self.server.audience not in _audiences(token):
            message = "Unauthenticated: Request header error: there is no user identity header"
            return 401, {"error": message, "code": 16, "message": message}
        for prefix, (status, message) in self.server.refuse.items():
            if not request.path.startswith(ROOT + prefix):
                continue
            if "upload" in request.path:  # by a handler of its own
                return status, {"error_message": message, "error_details": f"{message}: stack"}
            return status, {"error": message, "code": 7, "message": message}
        for method, pattern, name in _ROUTES:
            match = re.fullmatch(pattern if "apis" in pattern else ROOT + pattern, request.path)
            if match and method == request.method:
                return getattr(self, name)(request, *match.groups())
        return 404, {"message": f"no such path: {request.method} {request.path}"}

    def health(self, request):
        return 200, {"multi_user": False}

    def list_pipelines(self, request):
        return 200, {"pipelines": _filtered(self.server.pipelines, request)}

    def create_pipeline(self, request):
        made = {**request.body, "pipeline_id": self.server.new_id("pipeline")}
        self.server.pipelines[made["pipeline_id"]] = made
        return 200, made

    def upload_version(self, request):
        made = {
            "pipeline_id": request.query["pipelineid"],
            "pipeline_version_id": self.server.new_id("version"),
            "display_name": request.query["name"],
        }
        self.server.versions[made["pipeline_version_id"]] = made
        return 200, made

    def list_versions(self, request, pipeline):
        of = {k: v for k, v in self.server.versions.items() if v["pipeline_id"] == pipeline}
        return 200, {"pipeline_versions": _filtered(of, request)}

    def list_experiments(self, request):
        return 200, {"experiments": _filtered(self.server.experiments, request)}

    def create_experiment(self, request):
        if self.server.multi_user and not request.body.get("namespace"):
            message = "An experiment cannot have an empty namespace in multi-user mode"
            return 400, {"error": message, "code": 3, "message": message}
        made = {**request.body, "experiment_id": self.server.new_id("experiment")}
        self.server.experiments[made["experiment_id"]] = made
        return 200, made

    def create_run(self, request):
        made = {**request.body, "run_id": self.server.new_id("run")}
        self.server.runs[made["run_id"]] = made
        return 200, made

    def list_runs(self, request):
        found = list(self.server.runs.values())[::-1]
        return 200, {"runs": found[: int(request.query["page_size"])]}

    def get_run(self, request, identity):
        return 200, self.server.runs[identity]

    def read_log(self, request, run, pod):
        """The status is sent before the server looks for the pod."""
        missing = json.dumps({"error_message": f"Failed to read logs from pod {pod}"})
        return 200, self.server.logs.get(pod, missing)

    def create_recurring(self, request):
        status = "ENABLED" if request.body["mode"] == "ENABLE" else "DISABLED"
        identity = self.server.new_id("recurring")
        made = {**request.body, "recurring_run_id": identity, "status": status}
        self.server.recurring[identity] = made
        return 200, made

    def list_recurring(self, request):
        every = list(self.server.recurring.values())
        start = int(request.query.get("page_token") or 0)
        size = min(2, int(request.query.get("page_size") or 2))  # so that pages are turned
        page = {"recurringRuns": every[start : start + size], "total_size": len(every)}
        if start + size < len(every):
            page["next_page_token"] = str(start + size)
        return 200, page

    def switch_recurring(self, request, identity, verb):
        found = self.server.recurring[identity]
        found["mode"] = verb.upper()
        found["status"] = f"{verb.upper()}D"
        return 200, {}

    def delete_recurring(self, request, identity):
        del self.server.recurring[identity]
        return 200, {}


_ROUTES = (
    ("GET", "/healthz", "health"),
    ("GET", "/pipelines", "list_pipelines"),
    ("POST", "/pipelines", "create_pipeline"),
    ("POST", "/pipelines/upload_version", "upload_version"),
    ("GET", "/pipelines/([^/]+)/versions", "list_versions"),
    ("GET", "/experiments", "list_experiments"),
    ("POST", "/experiments", "create_experiment"),
    ("POST", "/runs", "create_run"),
    ("GET", "/runs", "list_runs"),
    ("GET", "/runs/([^/]+)", "get_run"),
    ("GET", "/apis/v1alpha1/runs/([^/]+)/nodes/([^/]+)/log", "read_log"),
    ("POST", "/recurringruns", "create_recurring"),
    ("GET", "/recurringruns", "list_recurring"),
    ("POST", "/recurringruns/([^/:]+):(enable|disable)", "switch_recurring"),
    ("DELETE", "/recurringruns/([^/:]+)", "delete_recurring"),
)


def _audiences(token: str) -> list[str]:
    try:
        payload = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "==="))["aud"]
    except (IndexError, KeyError, ValueError):
        return []


def _filtered(entries: dict[str, dict], request: Request) -> list[dict]:
    predicates = json.loads(request.query.get("filter") or "{}").get("predicates", [])
    return [
        entry
        for entry in entries.values()
        if all(entry[p["key"]] == p["stringValue"] for p in predicates)
    ]
