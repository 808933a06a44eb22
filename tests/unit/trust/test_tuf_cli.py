"""The client that independent suites run: options before the command, 0 or 1, plain names on disk."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.static_web import StaticWeb, static_web
from support.tuf_repository import TufRepository, new_key, soon

from pawld.trust.tuf_cli import main


class Client:
    """The client and its two folders."""

    def __init__(self, directory: Path, server: StaticWeb) -> None:
        self.metadata = directory / "metadata"
        self.targets = directory / "targets"
        self.root = directory / "initial_root.json"
        self.server = server
        self.metadata.mkdir()
        self.targets.mkdir()

    def init(self, root: bytes) -> int:
        self.root.write_bytes(root)
        return main(["--metadata-dir", str(self.metadata), "init", str(self.root)])

    def refresh(self) -> int:
        return main(["--metadata-url", f"{self.server.url}/", "--metadata-dir", str(self.metadata), "refresh"])

    def download(self, name: str) -> int:
        options = ["--metadata-url", f"{self.server.url}/", "--metadata-dir", str(self.metadata)]
        options += ["--target-name", name, "--target-dir", str(self.targets)]
        return main([*options, "--target-base-url", f"{self.server.url}/targets/", "download"])

    def version(self, role: str) -> int | None:
        path = self.metadata / f"{role}.json"
        return int(json.loads(path.read_bytes())["signed"]["version"]) if path.exists() else None

    def artifacts(self) -> list[bytes]:
        return [one.read_bytes() for one in self.targets.rglob("*") if one.is_file()]


@pytest.fixture(params=[True, False], ids=["consistent", "plain"])
def repository(request: pytest.FixtureRequest) -> TufRepository:
    made = TufRepository(consistent_snapshot=request.param)
    made.publish()
    return made


@pytest.fixture
def client(tmp_path: Path, repository: TufRepository) -> Iterator[Client]:
    with static_web(repository.files) as server:
        yield Client(tmp_path, server)


def test_init_asks_the_repository_nothing(client: Client, repository: TufRepository) -> None:
    assert client.init(repository.first_root) == 0

    assert client.server.asked == []
    assert [one.name for one in client.metadata.iterdir()] == ["root.json"]


def test_refresh_leaves_unversioned_documents_alone_in_its_folder(client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)

    assert client.refresh() == 0

    files = sorted(one.name for one in client.metadata.iterdir() if one.is_file())
    assert files == ["root.json", "snapshot.json", "targets.json", "timestamp.json"]


def test_the_requests_are_those_of_the_specification_and_get_alone(client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)

    client.refresh()

    prefix = "1." if repository.root.consistent_snapshot else ""
    assert client.server.asked == [
        "GET /2.root.json",
        "GET /timestamp.json",
        f"GET /{prefix}snapshot.json",
        f"GET /{prefix}targets.json",
    ]


def test_a_second_refresh_asks_only_for_root_and_timestamp(client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)
    client.refresh()
    client.server.asked.clear()

    assert client.refresh() == 0

    assert client.server.asked == ["GET /2.root.json", "GET /timestamp.json"]


@pytest.mark.parametrize(
    "name", ["file.txt", "a/b/file.txt", "a%20b/file.txt", "a b.txt", "50% off", "größe/[1]\\{x}.txt", '"a"']
)
def test_a_target_is_fetched_once_while_it_stays_the_same(name: str, client: Client, repository: TufRepository) -> None:
    repository.add(name, b"first")
    repository.publish()
    client.init(repository.first_root)

    assert client.download(name) == 0
    asked = [one for one in client.server.asked if "/targets/" in one]
    assert client.download(name) == 0

    assert [one for one in client.server.asked if "/targets/" in one] == asked
    assert len(asked) == 1
    assert client.artifacts() == [b"first"]


def test_a_changed_target_replaces_the_file(client: Client, repository: TufRepository) -> None:
    repository.add("file.txt", b"first")
    repository.publish()
    client.init(repository.first_root)
    client.download("file.txt")

    repository.add("file.txt", b"second")
    repository.publish()

    assert client.download("file.txt") == 0
    assert client.artifacts() == [b"second"]


@pytest.mark.parametrize("served", [b"tampered", b"", b"firsT", b"first and more"])
def test_a_target_of_other_bytes_is_refused_and_not_kept(
    served: bytes, client: Client, repository: TufRepository
) -> None:
    repository.add("file.txt", b"first")
    repository.publish()
    for path in [one for one in repository.files if one.startswith("targets/")]:
        repository.files[path] = served
    client.init(repository.first_root)

    assert client.download("file.txt") == 1
    assert client.artifacts() == []


def test_a_target_that_is_not_listed_is_an_error(client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)

    assert client.download("missing.txt") == 1


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_an_unsigned_role_changes_nothing(role: str, client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)
    client.refresh()
    repository.signers[role] = [new_key()]
    repository.publish()

    assert client.refresh() == 1
    assert client.version(role) == 1


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_an_expired_role_is_refused(role: str, client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)
    getattr(repository, role).expires = soon(-1)
    repository.publish()

    assert client.refresh() == 1
    assert client.version(role) is None


def test_an_expired_root_is_kept_and_a_newer_one_mends_it(client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)
    repository.root.expires = soon(-1)
    repository.publish_root()
    assert client.refresh() == 1
    assert client.version("root") == 2

    repository.root.expires = soon(1)
    repository.publish_root()

    assert client.refresh() == 0
    assert client.version("root") == 3


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_a_role_is_not_rolled_back(role: str, client: Client, repository: TufRepository) -> None:
    repository.publish()
    client.init(repository.first_root)
    client.refresh()
    getattr(repository, role).version = 0
    repository.publish()

    assert client.refresh() == 1
    assert client.version(role) == 2


def test_a_fast_forward_is_mended_by_rotating_timestamp_and_snapshot(client: Client, repository: TufRepository) -> None:
    repository.timestamp.version = repository.snapshot.version = 99_999
    repository.publish()
    client.init(repository.first_root)
    client.refresh()
    assert client.version("timestamp") == 100_000
    repository.timestamp.version = repository.snapshot.version = 1
    repository.rotate("timestamp")
    repository.rotate("snapshot")
    repository.publish()

    assert client.refresh() == 0
    assert client.version("snapshot") == 2


def test_roots_are_walked_one_by_one_and_a_gap_ends_the_walk(client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)
    for _ in range(4):
        repository.rotate("root")
    del repository.files["4.root.json"]

    assert client.refresh() == 0
    assert client.version("root") == 3


def test_a_root_of_a_wrong_version_is_refused(client: Client, repository: TufRepository) -> None:
    client.init(repository.first_root)
    repository.root.version = 4
    repository.publish_root()
    repository.files["2.root.json"] = repository.files["5.root.json"]

    assert client.refresh() == 1
    assert client.version("root") == 1


def test_delegations_are_searched_in_order_and_cycles_end(client: Client, repository: TufRepository) -> None:
    repository.delegate("first", ["a/*"], terminating=False)
    repository.delegate("second", ["a/*"], terminating=False)
    repository.delegate("deep", ["a/*"], parent="first", terminating=False)
    repository.add("a/file", b"second's", role="second")
    repository.publish()
    client.init(repository.first_root)

    assert client.download("a/file") == 0

    prefix = "1." if repository.root.consistent_snapshot else ""
    visited = [one.removeprefix(f"GET /{prefix}") for one in client.server.asked]
    assert [one for one in visited if one in ("first.json", "deep.json", "second.json")] == [
        "first.json",
        "deep.json",
        "second.json",
    ]


def test_a_terminating_delegation_ends_the_search(client: Client, repository: TufRepository) -> None:
    repository.delegate("first", ["a/*"], terminating=True)
    repository.delegate("second", ["a/*"])
    repository.add("a/file", b"second's", role="second")
    repository.publish()
    client.init(repository.first_root)

    assert client.download("a/file") == 1
    assert client.artifacts() == []


def test_a_role_name_with_odd_characters_stays_one_file(client: Client, repository: TufRepository) -> None:
    repository.delegate("../odd", ["a/*"])
    repository.add("a/file", b"odd", role="../odd")
    repository.publish()
    for name in [one for one in repository.files if one.endswith("../odd.json")]:
        repository.files[name.replace("../odd", "..%2Fodd")] = repository.files.pop(name)
    client.init(repository.first_root)

    assert client.download("a/file") == 0
    assert (client.metadata / "..%2Fodd.json").is_file()


@pytest.mark.parametrize("arguments", [["refresh"], ["--metadata-dir", "d", "dance"], []])
def test_a_wrong_command_line_exits_with_one(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1


def test_a_root_that_is_none_is_refused(client: Client) -> None:
    assert client.init(b"{}") == 1
    assert client.init(b'{"signed": {"_type": "timestamp"}}') == 1
    assert list(client.metadata.iterdir()) == []


def test_it_runs_as_a_program(client: Client, repository: TufRepository) -> None:
    client.root.write_bytes(repository.first_root)
    command = [sys.executable, "-m", "pawld.trust.tuf_cli", "--metadata-dir", str(client.metadata), "init"]

    assert subprocess.run([*command, str(client.root)], check=False).returncode == 0
    assert subprocess.run([*command, "nowhere.json"], check=False, capture_output=True).returncode == 1
