"""Delegations, thresholds and moments in time, as the public conformance suite for TUF clients tries them."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from support.static_web import StaticWeb, static_web
from support.trusting import files_of
from support.tuf_repository import TufRepository, new_key, soon
from tuf.api.metadata import MetaFile

from pawld.trust.tuf_cli import main

TOP = 4  # requests before the first delegation: root, timestamp, snapshot, targets


class Client:
    """The client as a suite starts it: once a command, with nothing but its folders in between."""

    def __init__(self, home: Path, server: StaticWeb, root: bytes) -> None:
        self.metadata, self.targets, self.server = home / "metadata", home / "targets", server
        self.metadata.mkdir()
        self.targets.mkdir()
        (home / "initial_root.json").write_bytes(root)
        assert main(["--metadata-dir", str(self.metadata), "init", str(home / "initial_root.json")]) == 0

    def options(self, *more: str) -> list[str]:
        return ["--metadata-url", f"{self.server.url}/", "--metadata-dir", str(self.metadata), *more]

    def refresh(self) -> int:
        return main(self.options("refresh"))

    def downloading(self, name: str) -> list[str]:
        place = ["--target-dir", str(self.targets), "--target-base-url", f"{self.server.url}/targets/"]
        return self.options("--target-name", name, *place, "download")

    def download(self, name: str) -> int:
        return main(self.downloading(name))

    def refresh_in(self, days: int) -> int:
        moment = f"{soon(days):%Y-%m-%d %H:%M:%S}"
        command = ["faketime", moment, sys.executable, "-m", "pawld.trust.tuf_cli", *self.options("refresh")]
        return subprocess.run(command, env={**os.environ, "TZ": "UTC"}, check=False, timeout=60).returncode

    def visited(self) -> list[str]:
        """The delegated roles that were asked for, in order."""
        names = [one.removeprefix("GET /") for one in self.server.asked[TOP:] if "/targets/" not in one]
        return [name.split(".", 1)[1].removesuffix(".json") for name in names]

    def trusted(self) -> dict[str, int]:
        return {
            one.name.removesuffix(".json"): json.loads(one.read_bytes())["signed"]["version"]
            for one in self.metadata.iterdir()
            if one.is_file()
        }


@pytest.fixture
def repository() -> TufRepository:
    made = TufRepository()
    made.publish()
    return made


@pytest.fixture
def client(tmp_path: Path, repository: TufRepository) -> Iterator[Client]:
    with static_web(repository.files) as server:
        yield Client(tmp_path, server, repository.first_root)


Edge = tuple[str, str, str, bool]  # from, to, paths, terminating

GRAPHS: dict[str, tuple[Sequence[Edge], Sequence[str]]] = {
    "one": ([("targets", "A", "*", False)], "A"),
    "two, in order": ([("targets", "A", "*", False), ("targets", "B", "*", False)], "AB"),
    "depth first": (
        [
            ("targets", "A", "*", False),
            ("targets", "B", "*", False),
            ("A", "C", "*", False),
            ("A", "D", "*", False),
        ],
        "ACDB",
    ),
    "a terminating one ends all": (
        [
            ("targets", "A", "*", False),
            ("targets", "B", "*", False),
            ("A", "C", "*", True),
            ("A", "D", "*", False),
        ],
        "AC",
    ),
    "what does not match is not asked": (
        [("targets", "A", "*.py", False), ("targets", "B", "*", False), ("A", "C", "*", False)],
        "B",
    ),
    "a circle ends": (
        [
            ("targets", "A", "*", False),
            ("targets", "B", "*", False),
            ("B", "C", "*", False),
            ("C", "D", "*", False),
            ("D", "B", "*", False),
        ],
        "ABCD",
    ),
    "a role of two is asked once": (
        [
            ("targets", "A", "*", False),
            ("targets", "B", "*", False),
            ("A", "C", "*", False),
            ("B", "C", "*", False),
        ],
        "ACB",
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_delegations_are_walked_in_preorder(name: str, client: Client, repository: TufRepository) -> None:
    edges, order = GRAPHS[name]
    for parent, role, paths, terminating in edges:
        repository.delegate(role, [paths], parent=parent, terminating=terminating)
    repository.publish()

    assert client.download("missing") == 1

    assert client.visited() == list(order)
    assert files_of(client.targets) == []


@pytest.mark.parametrize("role", ["?", "#", "/role", "../role", "ro le", "rôle"])
def test_an_odd_role_name_is_quoted_once_in_its_request_and_its_file(
    role: str, client: Client, repository: TufRepository
) -> None:
    repository.delegate(role, ["*"])
    repository.publish()
    wire = repository.files.pop(f"1.{role}.json")
    quoted = {
        "?": "%3F",
        "#": "%23",
        "/role": "%2Frole",
        "../role": "..%2Frole",
        "ro le": "ro%20le",
        "rôle": "r%C3%B4le",
    }
    repository.files[f"1.{quoted[role]}.json"] = wire

    assert client.download("nothing of the kind") == 1

    assert client.server.asked[-1] == f"GET /1.{quoted[role]}.json"
    assert len(client.trusted()) == TOP + 1


def test_an_expired_delegated_role_is_not_trusted(client: Client, repository: TufRepository) -> None:
    repository.delegate("late", ["late/*"]).expires = soon(-1)
    repository.add("late/file", b"late", role="late")
    repository.publish()

    assert client.refresh() == 0
    assert client.download("late/file") == 1

    assert client.trusted() == {"root": 1, "timestamp": 2, "snapshot": 2, "targets": 2}
    assert files_of(client.targets) == []


@pytest.mark.rig("faketime")
def test_expired_metadata_of_our_own_is_still_a_step_to_newer(client: Client, repository: TufRepository) -> None:
    repository.timestamp.expires = soon(7)
    repository.publish()
    assert client.refresh() == 0
    repository.timestamp.expires = repository.snapshot.expires = soon(21)
    repository.publish()

    assert client.refresh_in(days=18) == 0
    assert client.trusted()["timestamp"] == repository.timestamp.version
    assert client.refresh_in(days=22) == 1


@pytest.mark.parametrize("wrong", ["hashes", "length", "version"])
def test_a_document_other_than_the_snapshot_says_is_refused(
    wrong: str, client: Client, repository: TufRepository
) -> None:
    assert client.refresh() == 0
    repository.targets.version += 1
    repository.write("targets", repository.targets)
    data = repository.files["2.targets.json"]
    said = MetaFile(2, len(data), {"sha256": hashlib.sha256(data).hexdigest()})
    changes = {"hashes": {"sha256": "0" * 64}, "length": len(data) - 1, "version": 3}
    setattr(said, wrong, changes[wrong])
    repository.files["3.targets.json"] = data
    repository.snapshot.meta["targets.json"] = said
    repository.publish_snapshot()

    assert client.refresh() == 1
    assert client.trusted()["targets"] == 1


def test_lengths_and_hashes_that_hold_are_accepted(client: Client, repository: TufRepository) -> None:
    repository.targets.version += 1
    repository.write("targets", repository.targets)
    data = repository.files["2.targets.json"]
    repository.snapshot.meta["targets.json"] = MetaFile(2, len(data), {"sha256": hashlib.sha256(data).hexdigest()})
    repository.publish_snapshot()

    assert client.refresh() == 0
    assert (client.metadata / "targets.json").read_bytes() == data


def test_what_a_newer_specification_may_add_is_kept_byte_for_byte(client: Client, repository: TufRepository) -> None:
    repository.root.unrecognized_fields["custom"] = {"a": [1, None, "x"]}
    served = repository.publish_root()

    assert client.refresh() == 0
    assert (client.metadata / "root.json").read_bytes() == served


def test_a_first_root_that_nobody_signed_is_never_asked_with(tmp_path: Path, repository: TufRepository) -> None:
    repository.signers["root"] = [new_key()]
    forged = repository.signed(repository.root, repository.signers["root"])
    with static_web(repository.files) as server:
        client = Client(tmp_path, server, forged)

        assert client.refresh() == 1

        assert server.asked == []


def test_an_artifact_is_exchanged_under_its_one_name(client: Client, repository: TufRepository) -> None:
    for content in (b"first", b"second", b"third"):
        repository.add("some/file.txt", content)
        repository.publish()
        assert client.download("some/file.txt") == 0
        for path in [one for one in repository.files if one.startswith("targets/")]:
            repository.files[path] = b"not what was signed"

        client.download("some/file.txt")

        (name,) = files_of(client.targets)
        assert (client.targets / name).read_bytes() == content


def test_a_target_that_does_not_answer_is_asked_for_once(client: Client, repository: TufRepository) -> None:
    repository.add("file.txt", b"bytes")
    repository.publish()
    for path in [one for one in repository.files if one.startswith("targets/")]:
        del repository.files[path]

    assert client.download("file.txt") == 1

    assert len([one for one in client.server.asked if "/targets/" in one]) == 1
    assert all(one.startswith("GET ") for one in client.server.asked)
    assert files_of(client.targets) == []


def test_a_clock_in_the_future_or_past_is_no_concern_of_this_client(client: Client, repository: TufRepository) -> None:
    repository.timestamp.expires += timedelta(days=9000)
    repository.publish()

    assert client.refresh() == 0
    assert client.refresh() == 0
