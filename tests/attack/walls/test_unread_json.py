"""Nothing that is not proven reaches a reader of JSON in the process with root: every such reader is listened to here.

The children are real ones, in processes of their own; the documents come from real servers.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.heard import Heard, heard_json
from support.liars import USER
from support.static_web import StaticWeb, static_web
from support.trusting import QUESTION, Host, files_of
from support.tuf_repository import TufRepository, acme_repository, custom, new_key

from pawld.errors import RejectedError
from pawld.model import Offer, Platform, Record
from pawld.reasons import Reason
from pawld.sources.manifest import ManifestSource
from pawld.sources.scalepad import ScalepadSource
from pawld.system.http import Web
from pawld.system.http.walled import WalledWeb
from pawld.system.walls import Walls, walls_for
from pawld.trust.policy import Policy

pytestmark = pytest.mark.rig("root")

TARGET = "acme/stable/linux-x86_64"
EXPLOIT = "the text that takes the reader over"
DOCUMENTS = ("2.root", "timestamp", "1.snapshot", "1.targets", "1.stable")


@pytest.fixture(scope="module")
def apart() -> Iterator[Web]:
    walls = walls_for(USER)
    assert isinstance(walls, Walls), walls
    with WalledWeb(walls) as web:
        yield web


@pytest.fixture
def heard() -> Iterator[Heard]:
    with heard_json() as made:
        yield made


@pytest.fixture(params=[None, ["sha256"]], ids=["listed without hashes", "listed with hashes"])
def repository(request: pytest.FixtureRequest) -> TufRepository:
    return acme_repository(hashes=request.param)


@pytest.fixture
def server(repository: TufRepository) -> Iterator[StaticWeb]:
    with static_web(repository.files) as web:
        yield web


def hostile(document: bytes) -> list[bytes]:
    """The same document with something planted, signed as before, by a stranger, by nobody; and no document at all."""
    told = json.loads(document)
    told["signed"]["planted"] = EXPLOIT
    unsigned = told | {"signatures": []}
    stranger = new_key().sign(b"anything").to_dict()
    shapes: list[Any] = [told, unsigned, told | {"signatures": [stranger]}, [EXPLOIT], told | {"signatures": EXPLOIT}]
    return [*(json.dumps(one).encode() for one in shapes), EXPLOIT.encode()]


def policy_of(tmp_path: Path, web: Web, server: StaticWeb, repository: TufRepository) -> tuple[Host, Policy]:
    host = Host(tmp_path, web)
    return host, host.policy(host.tuf(server.url, repository.first_root))


def test_what_is_true_is_read_in_full(
    apart: Web, heard: Heard, server: StaticWeb, repository: TufRepository, tmp_path: Path
) -> None:
    _, policy = policy_of(tmp_path, apart, server, repository)
    assert isinstance(policy.record(QUESTION), Record)
    repository.rotate("timestamp")
    repository.add(TARGET, b"newer", custom("1.1.0", 2), "stable")
    repository.publish()
    record = policy.record(QUESTION)
    assert isinstance(record, Record)
    assert record.version == "1.1.0"
    assert "1.1.0" in heard


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_nobody_signed_is_never_read_by_root(
    name: str, apart: Web, heard: Heard, server: StaticWeb, repository: TufRepository, tmp_path: Path
) -> None:
    honest = repository.files.get(f"{name}.json", repository.first_root)
    host, policy = policy_of(tmp_path, apart, server, repository)
    for number, document in enumerate(hostile(honest)):
        repository.files[f"{name}.json"] = document
        heard.all = ""
        with pytest.raises(RejectedError) as refused:
            policy.record(QUESTION)
        assert refused.value.reason in (Reason.THRESHOLD_NOT_MET, Reason.METADATA_UNTRUSTED), number
        assert EXPLOIT not in heard, number
        assert not [one for one in host.cache.rglob("*.json") if EXPLOIT in one.read_text()]
    assert f"{name.partition('.')[2] or name}.json" not in [one for one in files_of(host.cache) if "root" not in one]


def test_without_walls_the_same_is_heard(
    heard: Heard, server: StaticWeb, repository: TufRepository, tmp_path: Path
) -> None:
    """The listening is shown to work."""
    repository.files["timestamp.json"] = hostile(repository.files["timestamp.json"])[0]
    with Web() as web, pytest.raises(RejectedError):
        policy_of(tmp_path, web, server, repository)[1].record(QUESTION)
    assert EXPLOIT in heard


def test_what_a_vendor_answers_is_never_read_by_root(apart: Web, heard: Heard, httpserver: HTTPServer) -> None:
    release = {"version": "1.8.3", "notes_url": "https://example.com/notes", "planted": EXPLOIT}
    httpserver.expect_request("/v2/agent-releases/latest").respond_with_json(release)
    httpserver.expect_request("/m.json").respond_with_json(release)
    now, linux = lambda: datetime(2026, 1, 1, tzinfo=UTC), Platform("windows", "x86_64")
    for source in (
        ScalepadSource(apart, httpserver.url_for("/v2"), None, now),
        ManifestSource(apart, httpserver.url_for("/m.json"), now),
    ):
        heard.all = ""
        found = source.describe("stable", linux, None)
        assert isinstance(found, Offer)
        assert found.version == "1.8.3"
        assert EXPLOIT not in heard


def test_what_a_vendor_refuses_with_is_never_read_by_root(apart: Web, heard: Heard, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/m.json").respond_with_json({"error": {"code": "x", "message": EXPLOIT}}, status=500)
    source = ManifestSource(apart, httpserver.url_for("/m.json"), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(Exception, match=EXPLOIT):
        source.describe("stable", Platform("linux", "x86_64"), None)
    assert EXPLOIT not in heard
