"""``SHA256SUMS``, as ``sha256sum`` writes it: read strictly, for it is parsed only after its signature held.

No escapes, no tags, no paths: a file name is a plain name, and each stands once.
"""

import re

from pawld.errors import RejectedError
from pawld.reasons import Reason

MAX_CHECKSUMS = 64 * 1024  # bytes
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) [ *](?P<name>[A-Za-z0-9._+-]+)", re.ASCII)


def read_checksums(data: bytes) -> dict[str, str]:
    """Return digest by file name; ``RejectedError`` (record_invalid) for anything that is not exactly the form.

    Lines end in LF, or all over in CR LF; the last may have no end.
    """
    if len(data) > MAX_CHECKSUMS:
        raise _invalid(f"it is longer than {MAX_CHECKSUMS} bytes")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise _invalid("it is not plain ASCII") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        match = _LINE.fullmatch(line.removesuffix("\r"))
        if match is None:
            raise _invalid(f"line {number} is not a digest and a plain file name")
        if match["name"] in found:
            raise _invalid(f"line {number} names {match['name']} again")
        found[match["name"]] = match["sha256"]
    return found


def write_checksums(digests: dict[str, str]) -> bytes:
    """Return the text that reads back as *digests*."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(digests.items())).encode("ascii")


def _invalid(why: str) -> RejectedError:
    return RejectedError(Reason.RECORD_INVALID, f"The signed checksum file is not valid: {why}.")
