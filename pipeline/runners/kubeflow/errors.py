"""What goes wrong with a server of Kubeflow Pipelines, in one sentence each."""

import base64
import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import urllib3
from kfp_server_api.exceptions import ApiException

from kws.errors import KwsError

HEALTH = "/apis/v2beta1/healthz"
_TIMEOUT_S = 10
_REACH = (
    "give its API by --host or KF_PIPELINES_ENDPOINT; from outside the cluster: kubectl "
    "port-forward -n kubeflow svc/ml-pipeline-ui 8080:80, and --host http://localhost:8080"
)
_ALLOW = (
    "a token goes into KWS_KUBEFLOW_TOKEN, the cookie of a login (Dex, oauth2-proxy) into "
    "KWS_KUBEFLOW_COOKIE; in a multi-user installation give your --namespace"
)
AUDIENCE = "pipelines.kubeflow.org"
"""Of the tokens that a multi-user installation takes (`TOKEN_REVIEW_AUDIENCE` of its server)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Access:
    """How a server is reached.

    Attributes:
      host: URL of the API.
      token: bearer token, where the installation asks for one.
      cookie: of a login by a browser, e.g. `oauth2_proxy_kubeflow=...`.
      ca_cert: file with the certificates to trust, where they are not the system's.
    """

    host: str
    token: str | None = None
    cookie: str | None = None
    ca_cert: Path | None = None

    def get(self, path: str) -> bytes:
        """What the server answers.

        Raises:
          KwsError: nobody answers, a login is asked for, or the server refuses.
        """
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Cookie": self.cookie} if self.cookie else {}
        pool = urllib3.PoolManager(ca_certs=str(self.ca_cert) if self.ca_cert else None)
        with self.explained():
            answer = pool.request(
                "GET", self.host + path, headers=headers, retries=False, timeout=_TIMEOUT_S
            )
        if 300 <= answer.status < 400:
            raise KwsError(f"{self.host} asks for a login ({answer.status})", hint=_ALLOW)
        self._refuse(answer.status, answer.data.decode("utf-8", "replace"))
        return answer.data

    def check(self) -> None:
        """Asks the server who it is, before the client, which would ask for half a minute.

        Raises:
          KwsError: see `get`; or the server has not the v2beta1 API.
        """
        if not self.host.startswith(("http://", "https://")):
            raise KwsError(f"--host {self.host!r} is not the URL of a server", hint=_REACH)
        if self.ca_cert is not None and not self.ca_cert.is_file():
            raise KwsError(f"--ca-cert {self.ca_cert} does not exist")
        try:
            json.loads(self.get(HEALTH))
        except ValueError:
            # A page to log in, or a web server of another kind.
            raise KwsError(
                f"{self.host} answers, but not as Kubeflow Pipelines 2: {HEALTH} is not JSON",
                hint=_REACH,
            ) from None

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Whatever a client raises of the server becomes a KwsError."""
        try:
            yield
        except ApiException as error:
            self._refuse(error.status, error.body or error.reason or "")
            raise KwsError(
                f"{self.host} refused: {message_of(error.body or str(error))}"
            ) from error
        except urllib3.exceptions.HTTPError as error:
            unknown = "CERTIFICATE_VERIFY_FAILED" in str(error)
            raise KwsError(
                f"no Kubeflow Pipelines answers at {self.host}: {error}",
                hint="give the cluster's certificates by --ca-cert FILE" if unknown else _REACH,
            ) from None

    def _refuse(self, status: int, body: str | bytes) -> None:
        message = message_of(body)
        if status in (401, 403):
            audiences = _audiences(self.token or "")
            hint = _ALLOW
            if audiences is not None and AUDIENCE not in audiences:
                hint = (
                    f"the token is for {', '.join(audiences) or 'nobody'}: make one by kubectl "
                    f"create token SERVICE_ACCOUNT --audience={AUDIENCE}"
                )
            raise KwsError(f"no permission at {self.host} ({status}): {message}", hint=hint)
        if status == 404:
            raise KwsError(
                f"{self.host} has not what was asked for (404): {message}",
                hint="the v2beta1 API comes with Kubeflow Pipelines 2.0 and later; an older server "
                "cannot run this pipeline",
            )
        if status >= 400:
            hint = "this is a multi-user installation: give your --namespace"
            of_namespace = status == 400 and "namespace" in message.lower()
            raise KwsError(
                f"{self.host} refused ({status}): {message}", hint=hint if of_namespace else None
            )


def message_of(body: str | bytes) -> str:
    """The server's own words, on one line."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        content = json.loads(text)
        # An upload, and a log, are answered by another handler than the rest.
        text = next(filter(None, map(content.get, ("error_message", "message", "error"))), text)
    except (ValueError, AttributeError):
        pass
    return " ".join(str(text).split())[:300] or "no reason given"


def _audiences(token: str) -> list[str] | None:
    """Whom a JSON web token is for; None: it is not one."""
    try:
        payload = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        found = said.get("aud", [])
        return [found] if isinstance(found, str) else [str(one) for one in found]
    except (IndexError, ValueError, AttributeError, TypeError):
        return None
