from datetime import UTC, datetime

import pytest

from pawld.errors import RejectedError
from pawld.formats.trusted_comment import TrustedComment, read_trusted_comment, write_trusted_comment

TEXT = "product=acme-agent version=1.8.3 channel=stable serial=1042 expires=2027-01-01T00:00:00Z"


def test_the_documented_form_is_read_and_written() -> None:
    comment = read_trusted_comment(TEXT)

    assert comment == TrustedComment("acme-agent", "1.8.3", "stable", 1042, datetime(2027, 1, 1, tzinfo=UTC))
    assert write_trusted_comment(comment) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "",
        f" {TEXT}",
        f"{TEXT}\n",
        f"{TEXT} ",
        TEXT.replace(" ", "\t"),
        TEXT.replace("serial=1042", "serial=01"),
        TEXT.replace("serial=1042", "serial=\u0661"),
        TEXT.replace("channel=stable ", ""),
        TEXT.replace("2027-01-01", "2027-13-01"),
        " ".join(reversed(TEXT.split(" "))),
    ],
)
def test_anything_but_the_exact_form_is_refused(text: str) -> None:
    with pytest.raises(RejectedError):
        read_trusted_comment(text)
