"""Who reads what comes from strangers, as the configuration and the host have it."""

import os

import pytest
from support.liars import USER

from pawld.doctor import place
from pawld.doctor.finding import Level
from pawld.errors import OperatorError
from pawld.install.archive import unpack
from pawld.install.archive.walled import WalledUnpack
from pawld.reasons import Reason
from pawld.settings.updater import Updater
from pawld.system.http import Web
from pawld.system.http.walled import WalledWeb
from pawld.system.walls import Walls
from pawld.wiring.network import web_of
from pawld.wiring.place import reader_of
from pawld.wiring.walls import told, walls_of

NAMED = Updater(user=USER)
SWITCHED_OFF = Updater(user=USER, unsafe_parse_as_root=True)
STRANGER = Updater(user="no_such_user")


@pytest.mark.rig("root")
def test_a_user_who_is_there_reads_everything() -> None:
    walls = walls_of(NAMED)
    assert isinstance(walls, Walls)
    with web_of(NAMED) as web:
        assert isinstance(web, WalledWeb)
    assert isinstance(reader_of(walls), WalledUnpack)
    assert told(NAMED).endswith(f"is read by the user {USER}, who may do nothing else.")
    assert place.walls(NAMED).level is Level.OK


@pytest.mark.rig("root")
def test_the_switch_has_root_read_and_the_doctor_says_so() -> None:
    assert walls_of(SWITCHED_OFF) is None
    with web_of(SWITCHED_OFF) as web:
        assert type(web) is Web
    assert reader_of(None) is unpack
    finding = place.walls(SWITCHED_OFF)
    assert (finding.level, finding.mend) == (Level.WARNING, "Take unsafe_parse_as_root out.")
    assert "unsafe_parse_as_root says so" in finding.evidence


@pytest.mark.rig("root")
def test_a_user_who_was_named_and_is_not_there_is_no_reason_to_go_without() -> None:
    with pytest.raises(OperatorError) as caught:
        walls_of(STRANGER)
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert caught.value.message == "updater.user is no_such_user, but this host has no user no_such_user."
    finding = place.walls(STRANGER)
    assert finding.level is Level.WARNING
    assert "nologin no_such_user`" in finding.mend


@pytest.mark.skipif(os.name != "posix", reason="there are no users of this kind")
def test_nobody_but_root_is_held_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert walls_of(STRANGER) is None
    assert place.walls(STRANGER).level is Level.OK
    assert "pawld is not root here" in told(STRANGER) or "only Linux" in told(STRANGER)
