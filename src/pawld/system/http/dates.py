"""Dates as servers write them (RFC 9110, 5.6.7)."""

from datetime import UTC, datetime

_LONGEST = 64  # characters; the longest of the three forms has 33


def http_date(text: str) -> datetime | None:
    """Return the moment that *text* names; None where it names none."""
    if not 0 < len(text) <= _LONGEST:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - hardly any answer needs it

    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
