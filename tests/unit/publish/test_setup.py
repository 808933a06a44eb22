"""What ``release init`` leaves: keys, roles with their thresholds, and metadata that a client accepts."""

import stat
from pathlib import Path

import pytest
from support.publishing import PASSPHRASE, SINGLE, StillClock, founded, reopened, unlock

from pawld.errors import OperatorError
from pawld.publish import keys
from pawld.publish.plan import Plan
from pawld.publish.publication import publish
from pawld.publish.setup import Founding, found
from pawld.reasons import Reason

PLAN = Plan(("acme-agent",), ("stable", "beta"), "stable")


def test_every_role_has_its_keys_threshold_and_expiry(tmp_path: Path) -> None:
    publisher = founded(tmp_path, guarded=True)
    root, targets = publisher.root.signed, publisher.targets.signed
    assert {role: (len(one.keyids), one.threshold) for role, one in root.roles.items()} == {
        "root": (3, 2),
        "targets": (3, 2),
        "snapshot": (1, 1),
        "timestamp": (1, 1),
    }
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    delegated = targets.delegations.roles
    assert {role: (len(one.keyids), one.threshold, one.paths) for role, one in delegated.items()} == {
        "stable": (3, 2, ["acme-agent/stable/*"]),
        "beta": (1, 1, ["acme-agent/beta/*"]),
        "archive": (3, 2, ["acme-agent/archive/*/*"]),
    }
    assert all(one.terminating for one in delegated.values())
    assert delegated["archive"].keyids == delegated["stable"].keyids
    days = {role: (publisher.latest(role).signed.expires - publisher.clock.now()).days for role in ("root", "targets")}
    assert days == {"root": 365, "targets": 180}


def test_private_keys_are_encrypted_and_for_their_owner_alone(tmp_path: Path) -> None:
    publisher = founded(tmp_path)
    private = sorted(publisher.layout.keys.glob("*.pem"))
    assert [path.stem for path in private] == ["beta-1", "root-1", "snapshot-1", "stable-1", "targets-1", "timestamp-1"]
    assert all(path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY") for path in private)
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert stat.S_IMODE(publisher.layout.keys.stat().st_mode) == 0o700
    assert not list(publisher.layout.public.rglob("*.pem"))


def test_what_is_public_can_be_read_by_a_web_server(tmp_path: Path) -> None:
    publisher = founded(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in publisher.layout.metadata.iterdir()} == {0o644}


def test_a_second_init_is_refused(tmp_path: Path) -> None:
    founded(tmp_path)
    before = (tmp_path / "public/metadata/1.root.json").read_bytes()
    with pytest.raises(OperatorError) as caught:
        founded(tmp_path)
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert (tmp_path / "public/metadata/1.root.json").read_bytes() == before


def test_an_init_that_was_cut_is_finished_with_the_same_keys(tmp_path: Path) -> None:
    def cut(path: Path, data: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found(tmp_path, Founding(PLAN, SINGLE), unlock, StillClock(), write=cut)
    before = sorted(path.name for path in (tmp_path / "keys").iterdir())
    found(tmp_path, Founding(PLAN, SINGLE), unlock, StillClock())
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == before
    assert reopened(tmp_path).repository.version("timestamp") == 1


def test_keys_held_elsewhere_leave_the_first_edition_waiting_for_them(tmp_path: Path) -> None:
    elsewhere = [keys.generate(tmp_path / name, f"root-{name}", PASSPHRASE) for name in ("ann", "bob")]
    founding = Founding(PLAN, {**SINGLE, "root": Founding(PLAN).quorum("root")}, {"root": tuple(elsewhere)})
    published = found(tmp_path / "home", founding, unlock, StillClock())
    assert [(need.role, need.count) for need in published.waiting] == [("root", 1)]
    assert not (tmp_path / "home/public/metadata").exists()

    publisher = reopened(tmp_path / "home")
    root = publisher.latest("root")
    root.sign(keys.load_file(tmp_path / "ann/root-ann.pem", PASSPHRASE), append=True)
    publisher.staging.put("root", root)
    assert publish(publisher).waiting == ()
    assert publisher.repository.version("root") == 1


@pytest.mark.parametrize("channel", ["root", "archive", "a/b", ""])
def test_a_channel_cannot_take_the_name_of_a_role_or_leave_its_path(channel: str) -> None:
    with pytest.raises(OperatorError) as caught:
        Plan(("acme-agent",), ("stable", channel), "stable")
    assert caught.value.reason is Reason.CONFIG_INVALID
