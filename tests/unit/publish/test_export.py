"""One file carries a channel's build over an air gap, and a TUF client needs nothing else."""

import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.publishing import ARM, LINUX, Client, served, take_in, tar_gz

from pawld.errors import OperatorError
from pawld.publish.export import export
from pawld.publish.publication import publish
from pawld.publish.rotate import rotate
from pawld.reasons import Reason

if TYPE_CHECKING:
    from conftest import Site


def test_a_client_finds_the_build_in_the_bundle_alone(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    publisher = site.publisher
    rotate(publisher, "root", [publisher.keyring.named("root-1")], [publisher.keyring.new("root")])
    publish(publisher)
    bundle = site.tmp / "acme.pawld"
    assert export(site.publisher, "acme-agent", "stable", LINUX, bundle).version == "1.0.0"
    with tarfile.open(bundle) as archive:
        names = archive.getnames()
        archive.extractall(site.tmp / "carried", filter="data")
    assert names[:3] == ["pawld-bundle.json", "metadata/1.root.json", "metadata/2.root.json"]
    assert (
        json.loads((site.tmp / "carried/pawld-bundle.json").read_bytes())["target"] == "acme-agent/stable/linux-x86_64"
    )
    root = (site.home / "public/metadata/1.root.json").read_bytes()
    with served(site.tmp / "carried") as url:
        assert Client(site.tmp / "gap", url, root).fetch("acme-agent/stable/linux-x86_64") == tar_gz("1.0.0")


def test_the_same_repository_gives_the_same_bytes(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    one, two = site.tmp / "one", site.tmp / "two"
    export(site.publisher, "acme-agent", "stable", LINUX, one)
    export(site.publisher, "acme-agent", "stable", LINUX, two)
    assert one.read_bytes() == two.read_bytes()


def test_what_is_not_here_cannot_be_exported(site: "Site", tmp_path: Path) -> None:
    take_in(site.publisher, "1.0.0", kept=False)
    for platform in (LINUX, ARM):
        with pytest.raises(OperatorError) as caught:
            export(site.publisher, "acme-agent", "stable", platform, tmp_path / "bundle")
        assert caught.value.reason is Reason.USAGE
    assert not (tmp_path / "bundle").exists()
