from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawld.errors import RejectedError
from pawld.formats.checksums import MAX_CHECKSUMS, read_checksums, write_checksums
from pawld.reasons import Reason

NAMES = st.from_regex(r"[A-Za-z0-9._+-]{1,40}", fullmatch=True)
DIGESTS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


@given(st.dictionaries(NAMES, DIGESTS, min_size=1))
def test_what_is_written_reads_back(digests: dict[str, str]) -> None:
    assert read_checksums(write_checksums(digests)) == digests


@given(st.binary(max_size=300))
def test_whatever_comes_it_is_read_or_refused(data: bytes) -> None:
    found: dict[str, str] = {}
    with suppress(RejectedError):
        found = read_checksums(data)

    assert all(len(digest) == 64 and "/" not in name for name, digest in found.items())


def test_too_long_a_file_is_refused() -> None:
    with pytest.raises(RejectedError, match="longer") as refused:
        read_checksums(b"0" * (MAX_CHECKSUMS + 1))
    assert refused.value.reason is Reason.RECORD_INVALID
