"""The error that a user is meant to read: one sentence that names the thing, and one that helps."""

import errno
import os

WHAT_TO_DO = {
    errno.ENOSPC: "the disk is full: make room, or choose another by --out, KWS_CACHE or TMPDIR",
    errno.EDQUOT: "your quota is used up: make room, or choose another disk by --out or KWS_CACHE",
    errno.EFBIG: "a file may not become so large here: raise the limit (ulimit -f), or choose "
    "another disk by --out or KWS_CACHE",
    errno.EROFS: "it cannot be written to: choose another place, e.g. by --out or KWS_CACHE",
    errno.EACCES: "your user may not: choose another place, or ask whose it is",
    errno.EPERM: "your user may not: choose another place, or ask whose it is",
    errno.ENOTDIR: "a file stands where a folder is needed: choose another place",
    errno.EEXIST: "something of that name stands there already: choose another place",
    errno.EISDIR: "a folder stands where a file is needed: choose another name",
    errno.ENOENT: "it is not there, or not any more",
    errno.ENAMETOOLONG: "the name is too long for this disk: choose a shorter one",
    errno.ELOOP: "the link leads back to itself",
    errno.EMFILE: "too many files are open: raise the limit, `ulimit -n 4096`",
    errno.EIO: "the disk or the network drive does not answer as it should",
}
"""About files, by the system's number of the error."""


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


def of_system(error: OSError) -> KwsError | None:
    """A file, folder or disk that is not as it was needed, in a sentence; None: it is not that."""
    if error.filename is None and error.errno not in WHAT_TO_DO:
        return None
    names = [os.fsdecode(one) for one in (error.filename, error.filename2) if _is_name(one)]
    where = " -> ".join(names) or "writing a file"
    return KwsError(f"{where}: {error.strerror or error}", WHAT_TO_DO.get(error.errno or 0))


def _is_name(name: object) -> bool:
    return isinstance(name, str | bytes | os.PathLike)
