from pathlib import Path

import pytest

from pawld.errors import OperatorError
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.system.template import belongs_to_agent, checked, filled

ROOT = Path("/opt/acme")
SLOT = Slot(ROOT / "versions/1.8.3-0123456789ab", "1.8.3", "0" * 64)


def test_every_word_is_filled_in_and_an_argument_stays_one() -> None:
    command = ["{current}/bin/acme", "--root={root}", "{slot}/x {version}"]
    assert filled(command, ROOT, SLOT) == (
        "/opt/acme/current/bin/acme",
        "--root=/opt/acme",
        "/opt/acme/versions/1.8.3-0123456789ab/x 1.8.3",
    )


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    strange = Slot(ROOT / "versions/{root}", "{slot}", "0" * 64)
    assert filled(["{slot} {version}"], ROOT, strange) == ("/opt/acme/versions/{root} {slot}",)


@pytest.mark.parametrize("text", ['{"a": 1}', "{}", "{A}"])
def test_other_braces_are_left_alone(text: str) -> None:
    assert filled(checked(["x", text], "stop"), ROOT, SLOT) == ("x", text)


@pytest.mark.parametrize("command", [[], [""], ["x", "{curent}/bin"]], ids=["none", "no program", "misspelt"])
def test_a_command_that_cannot_be_filled_in_is_refused_by_name(command: list[str]) -> None:
    with pytest.raises(OperatorError, match="health") as raised:
        checked(command, "health")
    assert raised.value.reason is Reason.CONFIG_INVALID


def test_a_program_within_the_slot_belongs_to_the_agent() -> None:
    assert belongs_to_agent(["/opt/acme/current/bin/acme"], ROOT, SLOT)
    assert belongs_to_agent([str(SLOT.path / "bin/acme")], ROOT, SLOT)
    assert not belongs_to_agent(["/usr/bin/curl"], ROOT, SLOT)


def test_windows_has_no_link_so_current_is_the_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert filled(["{current}"], ROOT, SLOT) == (str(SLOT.path),)
