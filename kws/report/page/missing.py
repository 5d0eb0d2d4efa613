"""What an older version of the pipeline did not record: said in its place, and the rest shown."""

from collections.abc import Callable

from kws.report.page.html import Html, note, tag
from kws.report.page.section import Section


def recorded(make: Callable[[], object]) -> object:
    """What `make` gives; a word in its place if it asks for a figure that was not recorded."""
    try:
        return make()
    except KeyError as error:
        return tag("span", f"not recorded ({error.args[0]}): an older run", class_="gone")


def whole(title: str, key: str, make: Callable[[], Section]) -> Section:
    """A section; if not even its frame can be made, what is missing for it."""
    try:
        return make()
    except KeyError as error:
        return Section(key=key, title=title, body=_says(error))


def _says(error: KeyError) -> Html:
    return note(
        f"This run was made by an older version, which did not record “{error.args[0]}”. "
        "Run the pipeline again to have this section."
    )
