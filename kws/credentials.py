"""No credential in a configuration: it goes into compiled pipelines, metadata, logs and bundles.

What looks like one is refused, and named by its place, never by its value. It is a net for
mistakes, no proof: what a credential looks like is known for the common kinds alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kws.errors import KwsError

HINT = (
    "many people read configurations, compiled pipelines and logs: give the machine, or the run's "
    "service account, the right to reach it, see docs/kubeflow.md"
)

_NAMES = (
    r"pass(?:word|wd|phrase)|secret|token|credentials?"
    r"|(?:api|access|secret|private|account)[_-]?key"
)
_SHORT_NAMES = "sig|key|auth|apikey"
"""Of parameters of a URL that carry a secret, though a setting of that name does not."""
_KEY = re.compile(rf"(?:^|[._-])(?:{_NAMES})$", re.IGNORECASE)
"""A key of the configuration; `password_env`, the name of a variable, is none."""
_OF_WORDS = "positives"
"""The keys of this mapping are keywords, of which "password" may be one."""

_KINDS = (
    ("a user and password in a URL", re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@", re.I)),
    ("a user or token in a URL", re.compile(r"(?:https?|ftps?)://[^/\s@]+@", re.I)),
    (
        "a signed or secret URL",
        re.compile(
            rf"[?&](?:x-(?:amz|goog)-(?:signature|credential)|{_SHORT_NAMES}|[a-z_-]*(?:{_NAMES}))=",
            re.I,
        ),
    ),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("an access key of AWS", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("an API key of Google", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    (
        "an access token",
        re.compile(
            r"\b(?:gh[opsu]_[0-9A-Za-z]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_[0-9A-Za-z]{30,}"
            r"|ya29\.[\w-]{20,}|xox[abprs]-[\w-]{10,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+)"
        ),
    ),
    ("a credential as an option", re.compile(rf"^--[a-z0-9_-]*(?:{_NAMES})(?:_id)?=\S", re.I)),
)


_WHOLE = ("an access key of AWS", "an API key of Google", "an access token")
"""Kinds whose pattern matches the secret and nothing else."""


def check(values: Any, what: str) -> None:
    """Refuses a credential anywhere in nested mappings, lists and texts.

    Args:
      values: to look through.
      what: where they come from, for the message: a file, an option.

    Raises:
      KwsError: names the first place, and not the value.
    """
    for place, text in _texts(values, ""):
        kind = kind_of(text)
        *above, key = re.sub(r"\[\d+\]", "", place).split(".")
        if kind is None and text and _KEY.search(key) and _OF_WORDS not in above:
            kind = "a credential by its name"
        if kind is not None:
            where = f"{what}: {place}" if place else what
            raise KwsError(f"{where} looks like {kind}", hint=HINT)


def kind_of(text: str) -> str | None:
    """What kind of credential a text holds, in words; None for none that is known."""
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), None)


_REDACTIONS = (
    # One slash: what a path makes of a URL.
    (re.compile(r"(?<=[a-z0-9])(:/{1,2})[^/\s@'\"]+(?=@)", re.I), r"\1…"),
    (
        re.compile(
            rf"([?&](?:x-(?:amz|goog)-(?:signature|credential|security-token)|{_SHORT_NAMES}"
            rf"|[a-z_-]*(?:{_NAMES}))=)[^&\s'\"#]+",
            re.I,
        ),
        r"\1…",
    ),
)


def redacted(text: str) -> str:
    """A message for a terminal or a log, without what looks like a credential.

    What stands before the `@` of a URL, its secret parameters, and tokens of known kinds become
    `…`: whoever wrote them knows them, and nobody else needs to.
    """
    if ":/" in text:
        for pattern, instead in _REDACTIONS:
            text = pattern.sub(instead, text)
    for kind, pattern in _KINDS:
        if kind in _WHOLE:
            text = pattern.sub("…", text)
    return text


def _texts(values: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(values, str):
        yield place, values
    elif isinstance(values, Mapping):
        for key, value in values.items():
            yield from _texts(value, f"{place}.{key}" if place else str(key))
    elif isinstance(values, list | tuple):
        for number, value in enumerate(values):
            yield from _texts(value, f"{place}[{number}]")
