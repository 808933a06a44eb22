"""``Retry-After``, in both of its forms."""

from datetime import UTC, datetime, timedelta

import pytest

from pawld.system.http import Headers, retry_after

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(minutes=2)),
        (" 120 ", timedelta(minutes=2)),
        ("999999999999", timedelta(hours=24)),
        ("Sun, 01 Mar 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sun, 01 Mar 2026 12:05:00 -0000", timedelta(minutes=5)),
        ("Sun, 01 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("Sun, 01 Mar 2099 12:00:00 GMT", timedelta(hours=24)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("1" * 400, None),
        ("5, 10", None),
        ("Sun, 99 Mar 2026 12:00:00 GMT", None),
        ("٣", None),
        ("Sun, 01 Mar 2026 12:00:00 +99999999999999999999", None),
        ("01 Mar 999999999999999999 12:00:00 GMT", None),
        ("Sun, 01 Mar 2026 12:05:00 GMT" + " " * 1_000_000, timedelta(minutes=5)),
        ("Sun, 01 Mar 2026" + " " * 1_000_000 + "12:05:00 GMT", None),
    ],
)
def test_it_is_read_capped_and_otherwise_ignored(value: str, wait: timedelta | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == wait


def test_it_may_be_missing_and_its_case_is_free() -> None:
    assert retry_after({}, NOW) is None
    assert retry_after(Headers([(b"RETRY-AFTER", b"7")]), NOW) == timedelta(seconds=7)


def test_a_repeated_header_is_joined() -> None:
    headers = Headers([(b"A", b"1"), (b"a", b"2"), (b"B", b"3")])
    assert (headers["A"], len(headers), sorted(headers)) == ("1, 2", 2, ["a", "b"])
    assert headers.get("missing") is None
