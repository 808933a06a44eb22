"""How an archive is refused, whatever its format."""

from pawld.errors import RejectedError
from pawld.reasons import Reason

_SHOWN = 120  # characters of a hostile name that a message repeats


def refused(message: str) -> RejectedError:
    """Return the refusal of an archive for the reason that the sentence *message* tells."""
    return RejectedError(Reason.ARCHIVE_REFUSED, message)


def named(name: str | bytes) -> str:
    """Return *name* as it may stand in a message: escaped, and cut where it is long."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    safe = ascii(text)
    return safe if len(safe) <= _SHOWN else f"{safe[:_SHOWN]}…' ({len(text)} characters)"


def decoded(raw: bytes) -> str:
    """Return the name that *raw* spells in UTF-8; ``RejectedError`` where it is none."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise refused(f"The archive's member {named(raw)} has a name that is not UTF-8.") from None
