"""What can go wrong, as exceptions whose text is safe to log.

Every message says where (offset in bytes, tag path), what was found and what was expected. None ever holds a
Value of a Data Element: tags, lengths, offsets and paths on disk only.
"""

from __future__ import annotations

from errno import EMFILE, ENFILE, ENOMEM

__all__ = [
    "DcmveilError",
    "DecryptionError",
    "InputError",
    "KeyFileError",
    "LimitExceeded",
    "OutputError",
    "ParseError",
    "ReaderGone",
    "Refused",
    "ResourceError",
    "internal",
    "show_path",
]


def show_path(path: object) -> str:
    """A path on disk as one line of text, whatever bytes its name is made of."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


def internal(error: BaseException) -> str:
    """What nobody has foreseen, in one line: its kind and place. Its own text may hold a Value."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, OSError) and error.errno in (EMFILE, ENFILE, ENOMEM):  # of an import, perhaps
        return str(error.strerror)
    if isinstance(error, ImportError):  # its text may be that of a linker
        return f"the Python package {(error.name or '?').partition('.')[0]} cannot be loaded: it is damaged or missing"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "?" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
    return f"internal error, please report: {type(error).__name__} at {place}"


class DcmveilError(Exception):
    """Base of all errors of this package. One line of text, no Value.

    `discard` is the number of bytes of output that had gone out of a push driver before: they are no whole object.
    """

    discard = 0


class InputError(DcmveilError):
    """The input could not be opened or read."""


class _Located(DcmveilError):
    """An error at a place in the input."""

    def __init__(self, message: str, *, offset: int | None = None, path: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.path = path

    def __str__(self) -> str:
        where = [] if self.offset is None else [f"offset {self.offset}"]
        where += [self.path] if self.path else []
        text = str(self.args[0])
        return f"{', '.join(where)}: {text}" if where else text


class ParseError(_Located):
    """The input is not a well-formed DICOM object.

    `offset` is in bytes from the start of the input (for a deflated Transfer Syntax: of the inflated stream),
    `path` the tag path of the place, such as ``(5200,9230)[3]>(0020,9111)``.
    """


class LimitExceeded(_Located):
    """A limit of this program was reached: nesting, number of edits, length of a replacement."""


class Refused(DcmveilError):
    """A well-formed object that the Policy does not let through.

    `reason` is one of ``not-dicom``, ``dicomdir``, ``encrypted-attributes``, ``embedded-overlay``,
    ``transfer-syntax``, ``originals-too-large``, ``not-encrypted``, ``private-blocks``, ``not-restorable``,
    ``character-set``, ``not-in-map``, ``risky``, ``not-clean``, ``disordered``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ResourceError(DcmveilError):
    """Tables of another edition, or a list of the user's own, cannot be used. The text names file and line."""


class OutputError(DcmveilError):
    """The output could not be written; nothing was left under its name."""


class ReaderGone(OutputError):
    """Nobody reads standard output any more."""


class KeyFileError(DcmveilError):
    """A certificate or private key that cannot or should not be used."""


class DecryptionError(DcmveilError):
    """Encrypted Attributes that cannot be decrypted. Its text is the same whatever the cause: no oracle."""

    def __init__(
        self, message: str = "the Encrypted Attributes cannot be decrypted: wrong key or password, or damaged"
    ) -> None:
        super().__init__(message)
