"""The status tells what hosts see, not what is staged."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.publishing import StillClock, founded, take_in

from pawld.publish import hold
from pawld.publish.publication import publish
from pawld.publish.ramp import parse_ramp
from pawld.publish.release import Conditions
from pawld.publish.status import status


def test_each_channel_names_its_release_and_its_place_on_the_ramp(tmp_path: Path) -> None:
    clock = StillClock()
    publisher = founded(tmp_path, clock=clock)
    take_in(publisher, "1.0.0", conditions=Conditions(ramp=parse_ramp("50% 10h, 100%")))
    take_in(publisher, "1.1.0", "beta")
    clock.sleep(timedelta(hours=5))
    assert [(one.record.channel, one.record.version, one.fraction) for one in status(publisher).releases] == [
        ("stable", "1.0.0", pytest.approx(0.25)),
        ("beta", "1.1.0", 1.0),
    ]
    hold.halt(publisher, "acme-agent", "stable")
    publish(publisher)
    assert status(publisher).releases[0].fraction == 0.0


def test_what_waits_for_signatures_is_told(tmp_path: Path) -> None:
    publisher = founded(tmp_path, guarded=True)
    for number in (1, 2):
        (tmp_path / f"keys/stable-{number}.pem").unlink()
    take_in(publisher, "1.0.0")
    seen = status(publisher)
    assert seen.releases == ()
    assert seen.staged == ("archive", "stable")
    assert [(need.role, need.count) for need in seen.waiting] == [("archive", 1), ("stable", 1)]
