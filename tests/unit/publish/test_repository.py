"""Metadata that cannot be read, or that no client would read, is never signed over or published."""

from pathlib import Path

import pytest
from support.publishing import founded, reopened, take_in
from tuf.api.metadata import TargetFile

from pawld.errors import OperatorError
from pawld.publish.publication import publish
from pawld.publish.refresh import renewable
from pawld.reasons import Reason


def test_a_damaged_file_is_told_by_its_path(tmp_path: Path) -> None:
    founded(tmp_path)
    (tmp_path / "public/metadata/1.stable.json").write_bytes(b"{")
    with pytest.raises(OperatorError, match=r"1\.stable\.json") as caught:
        take_in(reopened(tmp_path), "1.0.0")
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_metadata_beyond_what_clients_read_is_not_published(tmp_path: Path) -> None:
    publisher = founded(tmp_path)
    metadata = publisher.edited("beta")
    path = "acme-agent/beta/linux-x86_64"
    metadata.signed.targets[path] = TargetFile(1, {"sha256": "0" * 64}, path, {"custom": {"x": "y" * 5_000_000}})
    publisher.stage("beta", metadata)
    with pytest.raises(OperatorError, match="at most") as caught:
        publish(publisher)
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert publisher.repository.version("beta") == 1


def test_a_role_that_is_not_there_is_told(tmp_path: Path) -> None:
    publisher = founded(tmp_path)
    assert renewable(publisher) == ("root", "targets", "stable", "beta", "archive")
    for ask in (publisher.latest, publisher.latest_published):
        with pytest.raises(OperatorError) as caught:
            ask("nightly")
        assert caught.value.reason is Reason.CONFIG_INVALID
