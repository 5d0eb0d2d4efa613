"""The error that a user is meant to read: one sentence that names the thing, and one that helps."""


class KwsError(Exception):
    """A problem with the user's input or environment, shown without a traceback.

    Attributes:
      message: names the file or the setting, its value and what is wrong.
      hint: what would be right, or None.
    """

    def __init__(self, message: str, hint: str | None = None):
        """Leaves out what looks like a credential: errors are shown, logged and kept."""
        from kws.credentials import redacted  # which raises this error itself

        message, hint = redacted(message), None if hint is None else redacted(hint)
        super().__init__(message if hint is None else f"{message} ({hint})")
        self.message = message
        self.hint = hint


class DataError(KwsError):
    """The recordings are at fault, and will be the next time as well unless somebody mends them."""
