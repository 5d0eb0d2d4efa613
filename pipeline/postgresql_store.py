r"""A MetadataStore on PostgreSQL that may hold backslashes, as every JSON within JSON has, and long
texts.

ML Metadata 1.16 escapes text by libpq's PQescapeLiteral, which writes ` E'a\\b'` for `a\b`, and
strips the first and the last character, as if they were the quotes: any text with a backslash is a
syntax error ("syntax error at or near ..."), and TFX's properties are full of them. So a backslash
is stored as another character, and is one again when it is read. What is too long for an index is
stored in parts (`pipeline.long_texts`).

And it gives rows in whatever order PostgreSQL finds them, where SQLite and MySQL give them by
number. TFX takes the first artifact for that of the first event, so it would take one output for
another: everything is put in order.
"""

from typing import Any

from google.protobuf.message import Message
from ml_metadata.metadata_store import MetadataStore

from pipeline import long_texts

BACKSLASH = "\\"
STAND_IN = "\ue05c"
"""Of Unicode's private use area, at the backslash's number: no text has it by itself."""


_BY_ID = {
    "GetArtifactsByID": ("artifacts", "artifact_ids"),
    "GetExecutionsByID": ("executions", "execution_ids"),
    "GetContextsByID": ("contexts", "context_ids"),
    "GetArtifactTypesByID": ("artifact_types", "type_ids"),
}
"""Method -> what it gives, and what it was asked for."""


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
        _in_order(method_name, sent, response)
        long_texts.joined(response)
        if STAND_IN.encode() in response.SerializeToString():
            _replace(response, STAND_IN, BACKSLASH)


def _in_order(method_name: str, request: Any, response: Any) -> None:
    """As it was asked for by number, else by number; unless another order was asked for."""
    if method_name in _BY_ID:
        given, asked = _BY_ID[method_name]
        places = {id_: place for place, id_ in enumerate(getattr(request, asked))}
        getattr(response, given).sort(key=lambda one: places[one.id])
        return
    options = getattr(request, "options", None)
    # Some methods have options of another kind, without an order.
    if options is not None and "order_by_field {" in str(options):
        return
    for given in ("artifacts", "executions", "contexts"):
        if given in response.DESCRIPTOR.fields_by_name:
            getattr(response, given).sort(key=lambda one: one.id)


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
