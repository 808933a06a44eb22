"""What expires stops clients, what is refreshed lets them go on, and what is due is told long before."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.publishing import PASSPHRASE, Client, StillClock, founded, reopened, served, take_in, tar_gz
from tuf.api.exceptions import ExpiredMetadataError

from pawld.publish.expiry import Freshness, expiries
from pawld.publish.refresh import due_here, refresh

STABLE = "acme-agent/stable/linux-x86_64"


def at(days: float) -> StillClock:
    clock = StillClock()
    clock.sleep(timedelta(days=days))
    return clock


@pytest.mark.parametrize(
    ("age", "role"), [(-3, "timestamp"), (-8, "snapshot"), (-100, "stable"), (-200, "targets"), (-400, "root")]
)
def test_a_client_stops_at_an_expired_repository_and_goes_on_after_a_refresh(
    tmp_path: Path, age: int, role: str
) -> None:
    home = tmp_path / "home"
    take_in(founded(home, clock=at(age)), "1.0.0")
    root = (home / "public/metadata/1.root.json").read_bytes()
    with served(home / "public") as url:
        with pytest.raises(ExpiredMetadataError):
            Client(tmp_path / "host", url, root).fetch(STABLE)
        assert {one.role for one in expiries(reopened(home)) if one.freshness is Freshness.EXPIRED} >= {role}
        refresh(reopened(home), [] if role in ("timestamp", "snapshot") else due_here(reopened(home)))
        assert Client(tmp_path / "again", url, root).fetch(STABLE) == tar_gz("1.0.0")


def test_a_refresh_signs_the_timestamp_and_leaves_a_young_snapshot(tmp_path: Path) -> None:
    publisher = founded(tmp_path)
    assert refresh(publisher).versions == {"timestamp": 2}
    assert refresh(reopened(tmp_path, clock=at(4))).versions == {"snapshot": 2, "timestamp": 3}


def test_a_refresh_needs_no_release_key(tmp_path: Path) -> None:
    founded(tmp_path)
    for name in ("root-1", "targets-1", "stable-1", "beta-1"):
        (tmp_path / f"keys/{name}.pem").unlink()
    asked: list[str] = []
    publisher = reopened(tmp_path)
    publisher.keyring._unlock = lambda name: asked.append(name) or PASSPHRASE  # type: ignore[func-returns-value]  # append returns None
    assert refresh(publisher).waiting == ()
    assert sorted(asked) == ["snapshot-1", "timestamp-1"]


def test_a_role_is_signed_again_with_what_it_says(tmp_path: Path) -> None:
    publisher = founded(tmp_path)
    take_in(publisher, "1.0.0")
    before = publisher.latest("stable").signed
    refresh(reopened(tmp_path, clock=at(70)), ["stable", "timestamp"])
    after = publisher.latest("stable").signed
    assert after.targets == before.targets
    assert after.version == before.version + 1
    assert after.expires > before.expires


def test_each_role_is_due_long_before_it_expires(tmp_path: Path) -> None:
    founded(tmp_path)

    def due(days: float) -> set[str]:
        return {one.role for one in expiries(reopened(tmp_path, clock=at(days))) if one.freshness is Freshness.DUE}

    assert due(0.5) == set()
    assert due(1.5) == {"timestamp"}
    assert due(4) == {"snapshot"}
    assert due(25) == {"beta"}
    assert due(65) == {"stable", "archive"}
    assert due(140) == {"targets"}
    assert due(280) == {"root"}


def test_what_is_due_is_signed_here_only_where_its_threshold_of_keys_is(tmp_path: Path) -> None:
    founded(tmp_path, guarded=True)
    (tmp_path / "keys/root-1.pem").unlink()
    (tmp_path / "keys/targets-1.pem").unlink()
    (tmp_path / "keys/targets-2.pem").unlink()
    assert set(due_here(reopened(tmp_path, clock=at(300)))) == {"root", "stable", "archive", "beta"}
