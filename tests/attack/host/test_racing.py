"""Two updaters on one host at the same moment: one works, the other says so, and the agent is not torn in two."""

import json
import subprocess
import sys

import pytest
from support.besieged import Besieged
from support.raw_server import Asked, Wire

from pawld.reasons import Exit, Reason


@pytest.fixture(autouse=True)
def patience(host: Besieged) -> None:
    host.be_patient()


def pawld(host: Besieged) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pawld", "--json", "--config", str(host.home / "pawld.toml"), "update"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def test_of_two_racing_updaters_one_updates_and_the_other_steps_back(host: Besieged) -> None:
    data = host.offer("2.0.0")
    second: list[tuple[int, str]] = []

    def racing(asked: Asked, wire: Wire) -> None:
        other = pawld(host)  # the first one is in the middle of its download now
        told, _ = other.communicate(timeout=30)
        second.append((other.returncode, told))
        wire.answer(200, {}, data)

    host.content = racing
    first = pawld(host)
    told, _ = first.communicate(timeout=60)

    assert first.returncode == Exit.DONE
    assert json.loads(told)["agents"][0]["reason"]["code"] == Reason.UPDATED.code
    assert [code for code, _ in second] == [Exit.TRY_LATER]
    assert Reason.UPDATER_BUSY.code in second[0][1]
    assert host.answer == "acme-agent 2.0.0"
    assert (host.root / "current").readlink().name in host.slots()
    assert not [name for name in host.slots() if name.startswith(".")]


@pytest.mark.parametrize("again", range(2))
def test_updaters_that_start_at_once_end_well(again: int, host: Besieged) -> None:
    host.offer(f"2.1.{again}")

    codes = [one.wait(60) for one in [pawld(host) for _ in range(3)] if one.communicate(timeout=60)]

    assert set(codes) <= {Exit.DONE, Exit.TRY_LATER}
    assert Exit.DONE in codes
    assert host.answer == f"acme-agent 2.1.{again}"
