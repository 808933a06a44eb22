"""The record's form: what is written reads back, and what is not understood in full is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tuf_repository import custom

from pawld.errors import RejectedError
from pawld.formats.record import format_of, read_custom, read_manifest, write_custom, write_manifest
from pawld.model import (
    Chunks,
    Evidence,
    Location,
    Patch,
    Platform,
    RampStep,
    Record,
    Rollout,
    Unpacked,
)
from pawld.reasons import Reason

DIGEST = "a" * 64
SOON = datetime(2099, 1, 1, tzinfo=UTC)
WHOLE = Record(
    product="acme",
    channel="stable",
    platform=Platform("linux", "arm64", "musl"),
    version="1.4.2",
    sequence=1042,
    length=3 * 65536 + 1,
    sha256=DIGEST,
    filename="acme-1.4.2.tar.zst",
    format="tar.zst",
    unpacked=Unpacked(104857600, 412),
    entrypoint="bin/acme",
    chunks=Chunks(65536, ("b" * 64,) * 4),
    locations=(
        Location("https://api.example/latest", {}, ("objects.example",)),
        Location("https://mirror.example/acme", mirror=True),
    ),
    min_from_version="1.2.0",
    min_updater="0.1.0",
    security_floor="1.3.5",
    withdrawn=("1.4.0", "c" * 64),
    allow_downgrade_from=("1.5.0",),
    rollout=Rollout("1042", SOON, (RampStep(0.1, timedelta(hours=1)), RampStep(1.0, timedelta(0))), SOON, halted=True),
    not_before=SOON,
    expires=SOON,
    evidence=(Evidence("minisign", {"type": "minisign", "key_id": "1"}),),
    patches=(Patch("d" * 64, "acme/patch/1", "hdiffpatch", 7, "e" * 64),),
)
PLAIN = Record("acme", "stable", Platform("linux", "x86_64"), "1.0.0", 1, 5, DIGEST, "acme", "file")


@pytest.mark.parametrize("record", [WHOLE, PLAIN])
def test_a_custom_field_reads_back_as_it_was_written(record: Record) -> None:
    document = json.loads(json.dumps(write_custom(record)))

    assert read_custom(document, record.length, record.sha256, record.expires) == record


def test_a_manifest_reads_back_as_it_was_written() -> None:
    assert read_manifest(json.loads(json.dumps(write_manifest(WHOLE)))) == WHOLE


def test_a_manifest_must_expire() -> None:
    with pytest.raises(ValueError, match="expire"):
        write_manifest(PLAIN)


def test_a_rollout_of_a_fixed_percentage_reads_back() -> None:
    record = read_custom(custom(rollout={"percent": 25, "salt": "x"}), 5, DIGEST)

    assert record.rollout.steps == (RampStep(0.25, timedelta(0)),)
    assert write_custom(record)["rollout"]["percent"] == 25


def test_a_moment_without_a_zone_is_utc() -> None:
    assert read_custom(custom(not_before="2099-01-01T00:00:00"), 5, DIGEST).not_before == SOON


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"schema": "1"},
        {"schema": None},
        {"unknown": 1},
        {"product": ""},
        {"product": "../acme"},
        {"product": 7},
        {"version": "1 0"},
        {"version": "1/0"},
        {"version": "x" * 65},
        {"release_seq": 0},
        {"release_seq": 1 << 53},
        {"release_seq": True},
        {"release_seq": 1.0},
        {"filename": "a/b"},
        {"filename": ".."},
        {"format": "rar"},
        {"unpacked": {"bytes": -1, "files": 1}},
        {"unpacked": {"bytes": 1}},
        {"entrypoint": "/bin/sh"},
        {"entrypoint": "..\\evil"},
        {"entrypoint": "a//b"},
        {"entrypoint": "C:evil"},
        {"entrypoint": ""},
        {"chunks": {"size": 1, "sha256": [DIGEST]}},
        {"chunks": {"size": 65536, "sha256": []}},
        {"chunks": {"size": 65536, "sha256": [DIGEST, DIGEST]}},
        {"chunks": {"size": 65536, "sha256": [DIGEST.upper()]}},
        {"sources": [{"type": "ftp", "url": "x"}]},
        {"rollout": {"percent": 101}},
        {"rollout": {"percent": 5, "ramp": [{"fraction": 1, "seconds": 1}], "start": "2099-01-01T00:00:00Z"}},
        {"rollout": {"ramp": [{"fraction": 1, "seconds": 1}]}},
        {"not_before": "soon"},
        {"evidence": [{"type": 1}]},
        {"patches": [{"from_sha256": "short", "target": "x"}]},
    ],
)
def test_what_is_not_schema_1_in_full_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RejectedError) as refused:
        read_custom(custom() | change, 5, DIGEST)

    assert refused.value.reason is Reason.RECORD_INVALID


@pytest.mark.parametrize("document", [None, [], "text", 7, {}])
def test_what_is_no_record_at_all_is_refused(document: Any) -> None:
    with pytest.raises(RejectedError):
        read_custom(document, 5, DIGEST)
    with pytest.raises(RejectedError):
        read_manifest(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(sorted([*custom(), "rollout", "chunks", "evidence", "entrypoint", "expires"])), JSON)
def test_whatever_stands_in_a_field_it_is_read_or_refused(field: str, value: Any) -> None:
    reasons = set()
    for read in (lambda document: read_custom(document, 5, DIGEST), read_manifest):
        try:
            read(custom() | {field: value})
        except RejectedError as error:
            reasons.add(error.reason)

    assert reasons <= {Reason.RECORD_INVALID}


@pytest.mark.parametrize(
    ("filename", "form"),
    [
        ("acme-1.0.tar.gz", "tar.gz"),
        ("ACME.TGZ", "tar.gz"),
        ("acme.tar.zst", "tar.zst"),
        ("acme.tar.xz", "tar.xz"),
        ("acme.zip", "zip"),
        ("acme.msi", "msi"),
        ("acme", "file"),
        ("acme.exe", "file"),
    ],
)
def test_a_file_name_says_its_format(filename: str, form: str) -> None:
    assert format_of(filename) == form
