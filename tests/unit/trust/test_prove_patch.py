"""A patch is proven before it is read, and what it makes is proven by the signed digest of the build or of its tree."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pytest
from support.patches import policy
from support.verified import LINUX

from pawld.errors import RejectedError
from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import tree_sha256
from pawld.model import Evidence, Patch, Record
from pawld.ports import Downloaded, VerifiedPatch
from pawld.reasons import Reason
from pawld.trust.evidence import Demand

DATA = b"a patch"
PATCH = Patch("a" * 64, "sha256/x", "hdiffpatch", len(DATA), hashlib.sha256(DATA).hexdigest())
FILES = [FileEntry("bin/acme", 5, 0o755, "c" * 64)]
PROGRAM = Record("acme", "stable", LINUX, "1.1.0", 2, 5, "c" * 64, "acme", "file", patches=(PATCH,))
TREE = replace(
    PROGRAM, filename="acme.tar.gz", format="tar.gz", sha256="e" * 64, tree_sha256=tree_sha256(FILES, ["bin"])
)


def proven(
    tmp_path: Path, record: Record, data: bytes = DATA, patch: Patch = PATCH, **options: object
) -> VerifiedPatch:
    path = tmp_path / "patch.unverified"
    path.write_bytes(data)
    file = io.FileIO(path)
    try:
        return policy(**options).prove_patch(record, patch, Downloaded(file, path, "https://downloads.example"))  # type: ignore[arg-type]  # raw is enough
    except BaseException:
        file.close()
        raise


def test_a_proven_patch_is_read_from_the_descriptor_that_was_proven(tmp_path: Path) -> None:
    patch = proven(tmp_path, TREE)
    (tmp_path / "patch.unverified").unlink()
    assert (patch.record, patch.patch) == (TREE, PATCH)
    with patch.seekable() as file:
        assert file.read() == DATA


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"A patch", Reason.DIGEST_MISMATCH),
        (b"a patch ", Reason.LENGTH_MISMATCH),
        (b"", Reason.LENGTH_MISMATCH),
        (b"a patch" * 10**6, Reason.LENGTH_MISMATCH),
    ],
)
def test_other_bytes_are_no_patch(tmp_path: Path, data: bytes, reason: Reason) -> None:
    with pytest.raises(RejectedError) as caught:
        proven(tmp_path, TREE, data)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("record", "patch", "reason"),
    [
        (TREE, replace(PATCH, from_sha256="b" * 64), Reason.RECORD_MISMATCH),
        (replace(TREE, patches=()), PATCH, Reason.RECORD_MISMATCH),
        (replace(TREE, tree_sha256=None), PATCH, Reason.RECORD_MISMATCH),
        (replace(TREE, evidence=(Evidence("minisign"),)), PATCH, Reason.EVIDENCE_MISSING),
        (replace(PROGRAM, length_signed=False), PATCH, Reason.EVIDENCE_MISSING),
    ],
    ids=["not named", "none named", "no tree", "evidence", "no length"],
)
def test_a_patch_whose_result_could_not_be_proven_is_refused(
    tmp_path: Path, record: Record, patch: Patch, reason: Reason
) -> None:
    with pytest.raises(RejectedError) as caught:
        proven(tmp_path, record, patch=patch)
    assert caught.value.reason is reason


def test_demanded_evidence_refuses_every_patch(tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        proven(tmp_path, TREE, demand=Demand(("minisign",)))
    assert caught.value.reason is Reason.EVIDENCE_MISSING


@pytest.mark.parametrize(
    ("record", "files", "holds"),
    [
        (PROGRAM, FILES, True),
        (PROGRAM, [FILES[0]._replace(sha256="d" * 64)], False),
        (PROGRAM, [*FILES, *FILES], False),
        (PROGRAM, [], False),
        (TREE, FILES, True),
        (TREE, [FILES[0]._replace(sha256="d" * 64)], False),
        (TREE, [FILES[0]._replace(mode=0o644)], False),
        (TREE, [], False),
    ],
)
def test_only_the_very_build_is_confirmed(tmp_path: Path, record: Record, files: list[FileEntry], holds: bool) -> None:
    patch = proven(tmp_path, record)
    with patch.seekable():
        if holds:
            patch.confirm(files, ["bin"])
            return
        with pytest.raises(RejectedError) as caught:
            patch.confirm(files, ["bin"])
    assert caught.value.reason is Reason.DIGEST_MISMATCH
