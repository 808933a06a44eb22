"""What proves a document before it is read: a hash that is signed, or keys that somebody trusted names today."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from support.static_web import StaticWeb, static_web
from support.trusting import Host
from support.tuf_repository import TufRepository, new_key
from support.wall_threads import Threads
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Delegations, Root, SuccinctRoles, Targets

from pawld.errors import RejectedError
from pawld.formats.metadata import MOST_METADATA
from pawld.reasons import Reason
from pawld.system.http.hop import Hop
from pawld.system.http.readings import Reading
from pawld.system.http.walled import WalledWeb
from pawld.system.walls.plain import MOST_VALUES
from pawld.trust import tuf_proof
from pawld.trust.tuf import TufEngine
from pawld.trust.tuf_proof import Trusted


class Noting(WalledWeb):
    """Notes what it was asked to read."""

    def __init__(self) -> None:
        super().__init__(Threads())  # type: ignore[arg-type]  # of the same form
        self.taken_apart: list[str] = []

    def read(self, reading: Reading, body: bytes, hop: Hop) -> Any:
        if reading is Reading.ENVELOPE:
            self.taken_apart.append(hop.address.target.lstrip("/"))
        return super().read(reading, body, hop)


@pytest.fixture
def web() -> Iterator[Noting]:
    with Noting() as made:
        yield made


@pytest.fixture
def repository() -> TufRepository:
    return TufRepository()


@pytest.fixture
def server(repository: TufRepository) -> Iterator[StaticWeb]:
    with static_web(repository.files) as made:
        yield made


@pytest.fixture
def engine(host: Host, server: StaticWeb, repository: TufRepository) -> TufEngine:
    return host.tuf(server.url, repository.first_root)


def test_every_document_that_is_listed_without_a_hash_is_taken_apart(
    repository: TufRepository, engine: TufEngine, web: Noting
) -> None:
    repository.delegate("a.b/c%", ["*"])
    repository.add("x", b"x", role="a.b/c%")
    repository.publish_root()
    repository.publish()
    assert engine.look_up("x")[0] is not None
    role = "1.a.b%2Fc%25.json"
    assert web.taken_apart == ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json", role]
    assert engine.look_up("x")[0] is not None
    assert web.taken_apart[5:] == ["timestamp.json"], "what is kept was proven when it came"


def test_a_hash_that_is_signed_proves_the_bytes_as_they_are(
    repository: TufRepository, engine: TufEngine, web: Noting, host: Host
) -> None:
    repository.hashes = ["sha512"]
    repository.add("x", b"x")
    repository.publish()
    assert engine.look_up("x")[0] is not None
    assert web.taken_apart == ["timestamp.json"]
    assert (host.cache / "targets.json").read_bytes() == repository.files["1.targets.json"]


@pytest.mark.parametrize("weak", ["md5", "MD5", "sha1", "Sha1", "md5-sha1"])
def test_a_hash_that_can_be_forged_proves_nothing(
    weak: str, repository: TufRepository, engine: TufEngine, web: Noting
) -> None:
    repository.hashes = [weak]
    repository.add("x", b"x")
    repository.publish()
    assert engine.look_up("x")[0] is not None
    assert web.taken_apart == ["timestamp.json", "1.snapshot.json", "1.targets.json"]


def test_documents_without_versions_in_their_names_are_told_apart(host: Host, web: Noting) -> None:
    plain = TufRepository(consistent_snapshot=False)
    plain.delegate("7.lucky", ["*"])
    plain.add("x", b"x", role="7.lucky")
    plain.publish()
    with static_web(plain.files) as server:
        assert host.tuf(server.url, plain.first_root).look_up("x")[0] is not None
    assert web.taken_apart[-1] == "7.lucky.json"


def test_text_with_control_characters_comes_through_as_it_was_signed(
    repository: TufRepository, engine: TufEngine
) -> None:
    said = {"notes": 'two\nlines,\ta tab, a quote ", a \\ and \x01\x1f'}
    repository.add("x", b"x", said)
    repository.publish()
    found, _ = engine.look_up("x")
    assert found is not None
    assert found.custom == said


def nested(repository: TufRepository) -> None:
    """targets → outer → inner, which has the target."""
    repository.delegate("outer", ["*"], terminating=False)
    repository.delegate("inner", ["*"], parent="outer", terminating=False)
    repository.add("x", b"x", role="inner")
    repository.publish()


def test_a_delegation_below_a_delegation_is_proven_by_the_keys_that_it_names(
    repository: TufRepository, engine: TufEngine, web: Noting
) -> None:
    nested(repository)
    assert engine.look_up("x")[0] is not None
    assert web.taken_apart[-2:] == ["1.outer.json", "1.inner.json"]


def test_a_role_that_delegates_no_more_or_was_replaced_does_not_vouch(
    repository: TufRepository, engine: TufEngine, host: Host
) -> None:
    """What delegated once lies in the cache still; the keys that it named there may have been stolen since."""
    for name in ("gone", "older", "asked"):
        repository.delegate(name, ["*"], terminating=False)
        repository.delegate("inner", ["*"], parent=name, terminating=False)
    repository.add("x", b"x", role="inner")
    repository.publish()
    for path in ("y", "x"):  # the first is looked for in all of them
        engine.look_up(path)
    assert {one.version for one in delegating(host, "1.inner")} == {1}
    assert len(delegating(host, "1.inner")) == 3

    delegations = repository.targets.delegations
    assert delegations is not None
    assert delegations.roles is not None
    del delegations.roles["gone"]
    delegations.roles = {name: delegations.roles[name] for name in ("asked", "older")}
    repository.publish()
    repository.write("inner", repository.delegated["inner"], [new_key()])
    with pytest.raises(RejectedError) as refused:
        engine.look_up("x")
    assert refused.value.reason is Reason.THRESHOLD_NOT_MET
    assert [one.version for one in delegating(host, "2.inner")] == [2], "that which was fetched before it, alone"


def test_a_kept_role_whose_keys_were_replaced_does_not_vouch(
    repository: TufRepository, engine: TufEngine, host: Host
) -> None:
    nested(repository)
    engine.look_up("x")
    repository.rotate_delegated("outer")
    repository.targets.version += 1
    repository.snapshot.meta["targets.json"].version += 1
    repository.write("targets", repository.targets)
    repository.publish_snapshot()
    with pytest.raises(RejectedError) as refused:
        engine.look_up("x")
    assert refused.value.reason is Reason.THRESHOLD_NOT_MET
    assert delegating(host, "1.inner") == [], "though it is of the version that is listed"


def test_what_lies_in_the_cache_and_is_no_metadata_vouches_for_nothing(
    repository: TufRepository, engine: TufEngine, host: Host
) -> None:
    nested(repository)
    engine.look_up("x")
    (host.cache / "outer.json").write_bytes(b"{")
    assert delegating(host, "1.inner") == []
    with pytest.raises(RepositoryError, match="does not list"):
        Trusted(host.cache).authorities("1.unknown")
    (host.cache / "timestamp.json").write_bytes((host.cache / "targets.json").read_bytes())
    with pytest.raises(RepositoryError, match="of type targets"):
        Trusted(host.cache).authorities("1.snapshot")


def delegating(host: Host, name: str) -> list[Root | Targets]:
    return list(Trusted(host.cache).authorities(name)[1] or ())


def test_bins_of_a_succinct_delegation_are_proven_too(
    repository: TufRepository, engine: TufEngine, web: Noting
) -> None:
    made = repository.delegate("bin-0", [])
    repository.delegate("bin-1", [])
    key = repository.signers["bin-0"][0]
    repository.signers["bin-1"] = [key]
    keyid = key.public_key.keyid
    repository.targets.delegations = Delegations(
        {keyid: key.public_key}, None, SuccinctRoles([keyid], 1, bit_length=1, name_prefix="bin")
    )
    for role in ("bin-0", "bin-1"):
        repository.add("x", b"x", role=role)
    repository.publish()
    assert made.targets
    assert engine.look_up("x")[0] is not None
    assert web.taken_apart[-1] in ("1.bin-0.json", "1.bin-1.json")


def test_a_large_document_is_proven_as_any(
    repository: TufRepository, host: Host, server: StaticWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.targets.unrecognized_fields["x"] = [1] * (MOST_VALUES + 1)
    repository.add("x", b"x")
    repository.publish()
    engine = host.tuf(server.url, repository.first_root, longest=4 * MOST_METADATA)
    assert engine.look_up("x")[0] is not None
    repository.publish()
    monkeypatch.setattr(tuf_proof, "LONGEST_APART", len(repository.files["2.targets.json"]) - 1)
    with pytest.raises(RejectedError) as refused:
        engine.look_up("x")
    assert refused.value.reason is Reason.METADATA_UNTRUSTED
    assert "listed without a hash may have at most" in refused.value.message


def test_a_cache_that_vanishes_midway_is_made_anew(
    repository: TufRepository, engine: TufEngine, server: StaticWeb, host: Host
) -> None:
    repository.add("x", b"x")
    repository.publish()

    def vanish(handler: BaseHTTPRequestHandler) -> None:
        for one in host.cache.rglob("*.json"):
            one.unlink()
        del server.instead["1.snapshot.json"]
        handler.send_response(200)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    server.instead["1.snapshot.json"] = vanish
    assert engine.look_up("x")[0] is not None
    assert (host.cache.parent / "acme.set-aside").is_dir()
