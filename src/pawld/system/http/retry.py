"""When the other side wants to be asked again."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from pawld.system.http.dates import http_date

LONGEST = timedelta(hours=24)  # a server may not put a host to sleep for longer


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return what ``Retry-After`` asks (RFC 9110, 10.2.3), between 0 and 24 h; None where it is missing or unreadable.

    *headers* are case-insensitive, as ``Answer.headers`` and ``Reply.headers`` are.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,12}", value):
        return min(timedelta(seconds=min(int(value), 10**9)), LONGEST)
    moment = http_date(value)
    return None if moment is None else min(max(moment - now, timedelta(0)), LONGEST)
