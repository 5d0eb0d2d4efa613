"""Properties whose text is longer than a store takes, kept in parts.

ML Metadata puts an index over the texts of properties, and PostgreSQL refuses a row of an index
above 2,704 bytes; a pipeline's configuration is longer. So a long text is cut: the first part stays
where it was, behind a mark and the number of parts, the others are custom properties beside it.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

PART_BYTES = 2000
MARK = "\ue05d"
"""Of Unicode's private use area: no text of ours begins with it, and no property's name has it."""
_MAPS = ("properties", "custom_properties")


def cut(message: Message) -> None:
    """Cuts every long text in the artifacts, executions and contexts of a message, in place."""
    for owner in _owners(message):
        for where in _MAPS:
            values = getattr(owner, where)
            for name in list(values):
                parts = _parts(values[name].string_value)
                if len(parts) < 2:
                    continue
                values[name].string_value = f"{MARK}{len(parts)}{MARK}{parts[0]}"
                for number, part in enumerate(parts[1:], 1):
                    owner.custom_properties[_name(where, name, number)].string_value = part


def joined(message: Message) -> None:
    """Undoes `cut`, in place."""
    for owner in _owners(message):
        for where in _MAPS:
            values = getattr(owner, where)
            # To ask a map for what is not there any more would make it anew.
            for name in [name for name in values if MARK not in name]:
                text = values[name].string_value
                if not text.startswith(MARK):
                    continue
                _, count, text = text.split(MARK, 2)
                for number in range(1, int(count)):
                    part = _name(where, name, number)
                    text += owner.custom_properties[part].string_value
                    del owner.custom_properties[part]
                values[name].string_value = text


def _name(where: str, name: str, number: int) -> str:
    return f"{MARK}{where}.{name}.{number}"


def _parts(text: str) -> list[str]:
    """No longer than `PART_BYTES` each, in UTF-8, where a character has at most four."""
    length = PART_BYTES if text.isascii() else PART_BYTES // 4
    return [text[start : start + length] for start in range(0, len(text), length)]


def _owners(message: Message) -> Iterator[Any]:
    """The message, or whatever is in it, however deep, that has custom properties."""
    if "custom_properties" in message.DESCRIPTOR.fields_by_name:
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for item in value if field.label == field.LABEL_REPEATED else [value]:
            yield from _owners(item)
