"""The fuzzing targets with hypothesis, for every run of the suite; atheris goes on where this ends."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fuzz import targets
from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import build_record

from pawld.formats.record import write_manifest

CORPUS = Path(__file__).parent / "corpus"
NAMES = st.text("ab.-_/\\ é\0", max_size=12)
LINES = st.tuples(
    st.text("0123456789abcdefA", min_size=62, max_size=66), st.sampled_from(["  ", " *", " ", "\t"]), NAMES
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), st.lists, max_leaves=5
)
PLAIN = write_manifest(build_record(expires=datetime(2027, 1, 1, tzinfo=UTC)))
FIELDS = sorted(PLAIN)


@pytest.mark.parametrize("target", [targets.checksums, targets.comment, targets.record, targets.redirects])
@given(data=st.binary(max_size=300))
def test_no_bytes_break_a_reader(target: Callable[[bytes], None], data: bytes) -> None:
    target(data)


@pytest.mark.parametrize("path", sorted(CORPUS.rglob("*/*")), ids=lambda path: path.name)
def test_every_seed_is_read(path: Path) -> None:
    getattr(targets, path.parent.name)(path.read_bytes())


@given(lines=st.lists(LINES, max_size=4), end=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
def test_checksums_are_read_strictly_or_not_at_all(lines: list[tuple[str, str, str]], end: str) -> None:
    targets.checksums(end.join("".join(line) for line in lines).encode())


@given(field=st.sampled_from(FIELDS), value=JSON)
def test_no_value_of_any_field_breaks_the_record(field: str, value: object) -> None:
    targets.record(json.dumps(PLAIN | {field: value}).encode())


HOSTS = st.sampled_from(
    ["cdn.example", "127.0.0.1", "localhost", "[::1]", "a@b", "169.254.169.254", "x:99999", "é.example", ""]
)
SCHEMES = st.sampled_from(["https:", "http:", "HTTPS:", "file:", "javascript:", "", "//", "\\\\"])


@settings(max_examples=300)
@given(scheme=SCHEMES, host=HOSTS, rest=st.text("/.%?#@:\\ \t\r\n\0aé", max_size=12), slashes=st.integers(0, 3))
def test_no_location_leads_where_nothing_is_fetched(scheme: str, host: str, rest: str, slashes: int) -> None:
    targets.redirects((scheme + "/" * slashes + host + rest).encode("utf-8"))
