"""Where ML Metadata is kept: a file of the run, another file, or a server that a team shares.

    metadata: {mysql: {host: db.example.org, database: kws, user: kws}}
    metadata: {postgresql: {host: db.example.org, database: kws, user: kws, password_file: pw}}

A password is no part of this. It is in `KWS_METADATA_PASSWORD`, or in the file that
`password_file` names, and it is read where a connection is opened and nowhere else.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic

from kws.errors import KwsError
from kws.params import Params

PASSWORD_VARIABLE = "KWS_METADATA_PASSWORD"

_WORD = r"^[^\s'\"\\=]+$"
"""MLMD pastes these into a connection string: nothing in them may begin another setting."""

Kind = Literal["mysql", "postgresql"]


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


class ServerParams(Params):
    """A database on a server; it exists already, its tables need not."""

    host: str = pydantic.Field(pattern=_WORD)
    port: int = pydantic.Field(ge=1, le=65535)
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


class MySqlParams(ServerParams):
    """MySQL or MariaDB; the user logs in by `mysql_native_password`, which is all MLMD knows."""

    port: int = pydantic.Field(3306, ge=1, le=65535)


class PostgreSqlParams(ServerParams):
    """PostgreSQL."""

    port: int = pydantic.Field(5432, ge=1, le=65535)


class MetadataParams(Params):
    """One of three, or none: then `metadata.sqlite` in the run's folder."""

    sqlite: Path | None = pydantic.Field(None, description="a file elsewhere")
    mysql: MySqlParams | None = None
    postgresql: PostgreSqlParams | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> "MetadataParams":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: metadata is kept in one place, give one")
        return self

    @property
    def server(self) -> tuple[Kind, ServerParams] | None:
        """Its kind and where it is; None for a file."""
        if self.mysql is not None:
            return "mysql", self.mysql
        if self.postgresql is not None:
            return "postgresql", self.postgresql
        return None

    @property
    def is_default(self) -> bool:
        """Nothing was said."""
        return self.sqlite is None and self.server is None
