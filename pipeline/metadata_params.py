"""Where ML Metadata is kept: a file of the run, another file, or a MySQL server that a team shares.

    metadata: {mysql: {host: db.example.org, database: kws, user: kws, password_file: pw}}

A password is no part of this. It is in `KWS_METADATA_PASSWORD`, or in the file that
`password_file` names, and it is read where a connection is opened and nowhere else.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic

from kws.errors import KwsError
from kws.params import Params

PASSWORD_VARIABLE = "KWS_METADATA_PASSWORD"

_WORD = r"^[^\s'\"\\=]+$"
"""Of a host, a database or a user: a space or a quote in one of them is a typing error."""


def refuse_password(values: Mapping[str, Any], what: str) -> None:
    """Refuses a configuration with a password in it, and does not repeat it.

    Args:
      values: as they were read.
      what: where from, for the message.

    Raises:
      KwsError: says where the password belongs.
    """
    metadata = values.get("metadata")
    for kind, server in metadata.items() if isinstance(metadata, Mapping) else ():
        if isinstance(server, Mapping) and "password" in server:
            raise KwsError(
                f"{what}: metadata.{kind}.password: a password does not belong into a "
                "configuration",
                hint=f"put it into {PASSWORD_VARIABLE}, or name a file in password_file",
            )


class MySqlParams(Params):
    """A database of MySQL or MariaDB; it must exist already, its tables need not.

    The user logs in by `mysql_native_password`, the only method that MLMD supports.
    """

    host: str = pydantic.Field(pattern=_WORD)
    port: int = pydantic.Field(3306, ge=1, le=65535)
    database: str = pydantic.Field(pattern=_WORD)
    user: str = pydantic.Field(pattern=_WORD)
    password_file: Path | None = pydantic.Field(
        None, description=f"its first line is the password; None: ${PASSWORD_VARIABLE}"
    )

    def password(self) -> str:
        """From the file, or else from the environment; "" where there is none.

        Raises:
          KwsError: the file cannot be read.
        """
        if self.password_file is None:
            return os.environ.get(PASSWORD_VARIABLE, "")
        try:
            lines = self.password_file.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "no text"
            raise KwsError(
                f"the password of the metadata store: {self.password_file}: {reason}",
                hint="metadata....password_file names a file whose first line is the password",
            ) from None
        return lines[0] if lines else ""


class MetadataParams(Params):
    """A file or a server; by default `metadata.sqlite` in the run's folder."""

    sqlite: Path | None = pydantic.Field(None, description="a file elsewhere")
    mysql: MySqlParams | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> "MetadataParams":
        if self.sqlite is not None and self.mysql is not None:
            raise ValueError("sqlite and mysql: metadata is kept in one place, give one")
        return self

    @property
    def is_default(self) -> bool:
        """Neither is given."""
        return self.sqlite is None and self.mysql is None
