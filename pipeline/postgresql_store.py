r"""A MetadataStore on PostgreSQL that may hold backslashes, as every JSON within JSON has, and long
texts.

ML Metadata 1.16 escapes text by libpq's PQescapeLiteral, which writes ` E'a\\b'` for `a\b`, and
strips the first and the last character, as if they were the quotes: any text with a backslash is a
syntax error ("syntax error at or near ..."), and TFX's properties are full of them. So a backslash
is stored as another character, and is one again when it is read. What is too long for an index is
stored in parts (`pipeline.long_texts`).
"""

from typing import Any

from google.protobuf.message import Message
from ml_metadata.metadata_store import MetadataStore

from pipeline import long_texts

BACKSLASH = "\\"
STAND_IN = "\ue05c"
"""Of Unicode's private use area, at the backslash's number: no text has it by itself."""


class PostgreSqlStore(MetadataStore):
    """What goes to the server and what comes from it passes through here, one way or the other."""

    def _call(
        self, method_name: str, request: Message, response: Message, extra_options: Any = None
    ) -> None:
        sent = type(request)()
        sent.CopyFrom(request)
        if BACKSLASH.encode() in request.SerializeToString():
            _replace(sent, BACKSLASH, STAND_IN)
        long_texts.cut(sent)
        super()._call(method_name, sent, response, extra_options)
        long_texts.joined(response)
        if STAND_IN.encode() in response.SerializeToString():
            _replace(response, STAND_IN, BACKSLASH)


def _replace(message: Message, old: str, new: str) -> None:
    """In every text of a message, however deep."""
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            of = field.message_type.fields_by_name["value"]
            for key in list(value):
                if of.message_type is not None:
                    _replace(value[key], old, new)
                elif of.type == of.TYPE_STRING:
                    value[key] = value[key].replace(old, new)
        elif field.label == field.LABEL_REPEATED:
            if field.message_type is not None:
                for item in value:
                    _replace(item, old, new)
            elif field.type == field.TYPE_STRING:
                value[:] = [item.replace(old, new) for item in value]
        elif field.message_type is not None:
            _replace(getattr(message, field.name), old, new)
        elif field.type == field.TYPE_STRING:
            setattr(message, field.name, value.replace(old, new))
