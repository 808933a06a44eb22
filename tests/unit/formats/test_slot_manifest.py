import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from pawld.formats import slot_manifest
from pawld.formats.slot_manifest import FileEntry, SlotManifest

MANIFEST = SlotManifest(
    version="1.8.3",
    sha256="a" * 64,
    sequence=1042,
    entrypoint="bin/acme",
    install_id="b" * 32,
    installed_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    files=(FileEntry("bin/acme", 12, 0o755, "c" * 64), FileEntry("lib/é.so", 0, 0, "", target="real.so")),
    directories=("bin", "lib"),
)


def written(manifest: SlotManifest) -> bytes:
    return b"".join(slot_manifest.write(manifest))


def test_what_was_written_reads_back_the_same() -> None:
    assert slot_manifest.read(written(MANIFEST)) == MANIFEST


def test_the_first_line_alone_says_which_build_it_is() -> None:
    head = slot_manifest.read_head(written(MANIFEST).splitlines()[0])

    assert (head.version, head.sequence, head.installed_at) == ("1.8.3", 1042, MANIFEST.installed_at)


def test_a_manifest_without_an_entrypoint_has_none() -> None:
    without = replace(MANIFEST, entrypoint=None)

    assert slot_manifest.read(written(without)) == without


def test_no_manifest_that_is_torn_anywhere_is_read() -> None:
    whole = written(MANIFEST).rstrip()

    for length in range(len(whole)):
        with pytest.raises(ValueError):  # noqa: PT011 - each tear has its own words
            slot_manifest.read(whole[:length])


def test_no_manifest_with_zeros_anywhere_is_read() -> None:
    whole = written(MANIFEST)

    for start in range(len(whole) - 4):
        with pytest.raises(ValueError):  # noqa: PT011 - each hole has its own words
            slot_manifest.read(whole[:start] + bytes(4) + whole[start + 4 :])


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"version": 3},
        {"sequence": -1},
        {"sequence": True},
        {"sequence": "1"},
        {"files": {}},
        {"files": ["bin/acme"]},
        {"files": [{"path": "../x", "size": 1, "mode": 1, "sha256": ""}]},
        {"files": [{"path": "/etc/passwd", "size": 1, "mode": 1, "sha256": ""}]},
        {"files": [{"path": "a", "size": 1, "mode": 1, "sha256": "", "target": 1}]},
        {"directories": [1]},
        {"directories": ["a/../.."]},
        {"installed_at": "yesterday"},
        {"install_id": None},
    ],
)
def test_a_manifest_that_we_would_not_have_written_is_refused(change: dict[str, Any]) -> None:
    lines = [json.loads(line) for line in written(MANIFEST).splitlines()]
    changed = [json.dumps({name: change.get(name, value) for name, value in line.items()}) for line in lines]

    with pytest.raises(ValueError):  # noqa: PT011 - each fault has its own words
        slot_manifest.read("\n".join(changed).encode())


def test_what_is_no_object_or_far_too_long_is_no_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no object"):
        slot_manifest.read(b"[]")
    monkeypatch.setattr(slot_manifest, "_LIMIT", 10)
    with pytest.raises(ValueError, match="longer than"):
        slot_manifest.read(written(MANIFEST))


def test_a_whole_manifest_is_known_without_reading_its_files_and_a_torn_or_zeroed_one_is_none() -> None:
    data = written(MANIFEST)
    assert slot_manifest.is_whole(BytesIO(data))
    middle = len(data) - 40
    zeroed = data[:middle] + bytes(8) + data[middle + 8 :]
    for torn in (b"", data[:-1], data[:middle], bytes(len(data)), zeroed, b"{}" + data[data.index(b"\n") :]):
        assert not slot_manifest.is_whole(BytesIO(torn))
