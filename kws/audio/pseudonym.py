"""Pseudonyms: who speaks matters for the splits, and is nobody's business afterwards.

A keyed hash (BLAKE2b, RFC 7693) in place of the speaker's name: without the salt nobody can try
names until one fits. The salt comes from an environment variable, and so it is in no configuration,
no metadata and no log.
"""

import hashlib
import os

from kws.errors import KwsError

SHORTEST_SALT = 8


def pseudonym(speaker: str, salt: str) -> str:
    """16 hex digits in place of a speaker; the same speaker and salt give the same ones."""
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    return hashlib.blake2b(speaker.encode(), key=key, digest_size=8).hexdigest()


def salt_of(variable: str) -> str:
    """The salt in an environment variable.

    Raises:
      KwsError: it is not set, or too short to be a secret.
    """
    salt = os.environ.get(variable, "")
    if len(salt) < SHORTEST_SALT:
        state = "is not set" if not salt else f"has {len(salt)} characters"
        raise KwsError(
            f"speakers are to be hashed, and the environment variable {variable} {state}",
            hint=f"give it a secret of {SHORTEST_SALT} characters or more, and keep it: another "
            "salt gives other names",
        )
    return salt
