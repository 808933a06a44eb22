"""The trusted comment of a minisign sidecar: what binds a signature to one release and a time.

``product=acme-agent version=1.8.3 channel=stable serial=1042 expires=2027-01-01T00:00:00Z``: these five, in this order,
one blank between them. A signature without them says only that these bytes were signed once.
"""

import re
from datetime import UTC, datetime

from pawld.errors import RejectedError
from pawld.reasons import Reason
from pawld.values import dataclass

_FORM = re.compile(
    r"product=(?P<product>[A-Za-z0-9][A-Za-z0-9._+-]{0,127}) "
    r"version=(?P<version>[A-Za-z0-9][A-Za-z0-9._+-]{0,63}) "
    r"channel=(?P<channel>[A-Za-z0-9][A-Za-z0-9._+-]{0,127}) "
    r"serial=(?P<serial>[1-9][0-9]{0,14}) "
    r"expires=(?P<expires>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class TrustedComment:
    """What the signer bound the signature to."""

    product: str
    version: str
    channel: str
    serial: int
    expires: datetime


def read_trusted_comment(text: str) -> TrustedComment:
    """Read the comment in full; ``RejectedError`` (record_invalid) where it is not exactly the form."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise RejectedError(
            Reason.RECORD_INVALID,
            "The signature's trusted comment does not bind it: it must read "
            "product=… version=… channel=… serial=… expires=YYYY-MM-DDThh:mm:ssZ and nothing else.",
        )
    try:
        expires = datetime.strptime(match["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise RejectedError(
            Reason.RECORD_INVALID, f"The signature's trusted comment expires at no date: {match['expires']}."
        ) from None
    return TrustedComment(match["product"], match["version"], match["channel"], int(match["serial"]), expires)


def write_trusted_comment(comment: TrustedComment) -> str:
    """Return the text that reads back as *comment*."""
    return (
        f"product={comment.product} version={comment.version} channel={comment.channel} serial={comment.serial} "
        f"expires={comment.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )
