"""Patches are made from the builds that hosts have, and kept where they save enough."""

from pathlib import Path

import pytest
from support.patches import File, edited, packed, program
from support.publishing import ARM, founded, incoming

from pawld.formats import patch
from pawld.model import Evidence, Record
from pawld.publish.ingest import ingest
from pawld.publish.patching import make
from pawld.publish.publication import publish
from pawld.publish.publisher import Publisher
from pawld.publish.records import read
from pawld.publish.release import promote
from pawld.publish.roles import archive_path_of

pytest.importorskip("hdiffpatch")

FIRST = program(1, 100_000)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return founded(tmp_path / "home")


def tree(data: bytes) -> bytes:
    return packed({"bin/acme": File(data, 0o755), "share/words": File(b"words\n")})


def taken(publisher: Publisher, version: str, build: bytes, patches: int = 2, **facts: object) -> Record:
    record = ingest(publisher, incoming(version, **facts), [build], "stable", patches=patches)
    publish(publisher)
    return record


def test_the_newest_older_builds_are_patched_from_newest_first(publisher: Publisher) -> None:
    versions = ("1.9.0", "1.10.0", "1.2.0", "2.0.0")
    before = {
        version: taken(publisher, version, tree(edited(FIRST, number)), 0)
        for number, version in enumerate(sorted(versions, key=lambda one: [int(part) for part in one.split(".")]))
    }
    record = taken(publisher, "2.1.0", tree(edited(FIRST, 9)))

    assert [one.from_sha256 for one in record.patches] == [before["2.0.0"].sha256, before["1.10.0"].sha256]
    for one in record.patches:
        kept = publisher.layout.targets / one.target
        assert (kept.stat().st_size, one.target) == (one.length, f"sha256/{one.sha256}")
        assert one.length < 0.6 * record.length


def test_a_patch_that_saves_too_little_is_dropped(publisher: Publisher) -> None:
    taken(publisher, "1.0.0", tree(FIRST))
    assert taken(publisher, "1.1.0", tree(program(2, 100_000))).patches == ()
    assert list(publisher.layout.incoming.iterdir()) == []


def test_a_patch_that_has_too_much_to_name_is_dropped(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch, "MAX_HEADER", 100)
    taken(publisher, "1.0.0", tree(FIRST))
    assert taken(publisher, "1.1.0", tree(edited(FIRST, 1))).patches == ()
    assert list(publisher.layout.incoming.iterdir()) == []


def test_builds_of_another_platform_or_kind_are_no_base(publisher: Publisher) -> None:
    taken(publisher, "1.0.0", tree(FIRST), platform=ARM)
    taken(publisher, "1.0.1", FIRST, filename="acme", entrypoint=None)
    assert taken(publisher, "1.1.0", tree(FIRST)).patches == ()


def test_a_build_whose_evidence_speaks_of_the_whole_file_gets_none(publisher: Publisher) -> None:
    taken(publisher, "1.0.0", tree(FIRST))
    evidence = (Evidence("minisign", {"type": "minisign", "key_id": "1"}),)
    assert taken(publisher, "1.1.0", tree(edited(FIRST, 3)), evidence=evidence).patches == ()


def test_without_the_engine_none_is_made(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "ENGINE", "no_such_engine")
    taken(publisher, "1.0.0", tree(FIRST))
    assert not make.can_make()
    assert taken(publisher, "1.1.0", tree(edited(FIRST, 3))).patches == ()


def test_the_same_build_again_keeps_the_patches_that_it_has(publisher: Publisher) -> None:
    taken(publisher, "1.0.0", tree(FIRST))
    first = taken(publisher, "1.1.0", tree(edited(FIRST, 3)))
    assert taken(publisher, "1.1.0", tree(edited(FIRST, 3))) == first
    assert len(first.patches) == 1


def test_a_promoted_build_is_offered_with_its_patches_and_the_archive_without(publisher: Publisher) -> None:
    taken(publisher, "1.0.0", tree(FIRST))
    record = taken(publisher, "1.1.0", tree(edited(FIRST, 3)))
    [promoted] = promote(publisher, "acme-agent", "1.1.0", "beta")
    assert promoted.patches == record.patches
    archived = publisher.latest("archive").signed.targets[archive_path_of("acme-agent", "1.1.0", record.platform)]
    assert read(archived).patches == ()
    assert read(archived).tree_sha256 == record.tree_sha256
