"""What bodies are read to be, wherever that is done: behind walls on a host that has them, else here."""

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any


class Reading(Enum):
    """What a body is taken for; each is a function here."""

    OBJECT = "object"
    ENVELOPE = "envelope"


def json_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object in *body*, or None where it holds anything else, such as a proxy's HTML page."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def envelope(body: bytes) -> list[Any] | None:
    """Return the signatures of signed JSON (key and signature), and the canonical bytes that they are to be over.

    None where it is none. Whoever checks the signatures need not have read anything else by then.
    """
    from securesystemslib.exceptions import Error  # noqa: PLC0415 - for TUF alone
    from securesystemslib.formats import encode_canonical  # noqa: PLC0415 - as above

    try:
        document = json.loads(body.decode())
        signatures = [[one["keyid"], one["sig"]] for one in document["signatures"]]
        return [signatures, str(encode_canonical(document["signed"])).encode()]
    except (ValueError, RecursionError, LookupError, TypeError, Error):
        return None


READINGS: Mapping[Reading, Callable[[bytes], Any]] = {Reading.OBJECT: json_object, Reading.ENVELOPE: envelope}
