"""What goes wrong with a server of Kubeflow Pipelines, in one sentence each."""

import contextlib
import json
from collections.abc import Iterator

import urllib3
from kfp_server_api.exceptions import ApiException

from kws.errors import KwsError

HEALTH = "/apis/v2beta1/healthz"
_TIMEOUT_S = 10
_REACH = (
    "give its API by --host or KF_PIPELINES_ENDPOINT; from outside the cluster: kubectl "
    "port-forward -n kubeflow svc/ml-pipeline-ui 8080:80, and --host http://localhost:8080"
)
_ALLOW = "a token goes into KWS_KUBEFLOW_TOKEN; in a multi-user installation give your --namespace"


def check_server(host: str, token: str | None) -> None:
    """Asks the server who it is, before the client, which would ask for half a minute.

    Raises:
      KwsError: nobody answers, no permission, or not the v2beta1 API.
    """
    if not host.startswith(("http://", "https://")):
        raise KwsError(f"--host {host!r} is no URL of a server", hint=_REACH)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = urllib3.PoolManager().request(
            "GET", host + HEALTH, headers=headers, retries=False, timeout=_TIMEOUT_S
        )
    except urllib3.exceptions.HTTPError as error:
        raise KwsError(f"no Kubeflow Pipelines answers at {host}: {error}", hint=_REACH) from None
    _refuse(host, answer.status, answer.data.decode("utf-8", "replace"))
    try:
        json.loads(answer.data)
    except ValueError:
        # A page to log in, or a web server of another kind.
        raise KwsError(
            f"{host} answers, but not as Kubeflow Pipelines 2: {HEALTH} is no JSON", hint=_REACH
        ) from None


@contextlib.contextmanager
def explained(host: str) -> Iterator[None]:
    """Whatever the client raises of the server becomes a KwsError."""
    try:
        yield
    except ApiException as error:
        _refuse(host, error.status, error.body or error.reason or "")
        raise KwsError(f"{host} refused: {_message(error.body or str(error))}") from error
    except urllib3.exceptions.HTTPError as error:
        raise KwsError(f"no Kubeflow Pipelines answers at {host}: {error}", hint=_REACH) from None


def _refuse(host: str, status: int, body: str) -> None:
    if status in (401, 403):
        raise KwsError(f"no permission at {host} ({status}): {_message(body)}", hint=_ALLOW)
    if status == 404:
        raise KwsError(
            f"{host} has not what was asked for (404): {_message(body)}",
            hint="the v2beta1 API comes with Kubeflow Pipelines 2.0 and later; an older server "
            "cannot run this pipeline",
        )
    if status >= 400:
        raise KwsError(f"{host} refused ({status}): {_message(body)}")


def _message(body: str | bytes) -> str:
    """The server's own words, on one line."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        content = json.loads(text)
        text = content.get("message") or content.get("error") or text
    except (ValueError, AttributeError):
        pass
    return " ".join(str(text).split())[:300] or "no reason given"
