import sys
from pathlib import Path

import pytest

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings.merge import gather
from pawld.system.windows_access import CHANGE, REPLACE, Access, stranger, who_may

SYSTEM, ADMINISTRATORS, EVERYONE, USERS = "S-1-5-18", "S-1-5-32-544", "S-1-1-0", "S-1-5-32-545"
ANNE, BOB = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
READ, WRITE, ADD_DIRECTORY, ALL = 0x1200A9, 0x1301BF, 0x4, 0x1F01FF


@pytest.mark.parametrize(
    ("access", "told"),
    [
        (Access(ADMINISTRATORS, ((SYSTEM, ALL), (ADMINISTRATORS, ALL), (USERS, READ))), None),
        (Access(ANNE, ((ANNE, ALL), (EVERYONE, READ))), None),
        (Access(SYSTEM, ((BOB, ALL),)), None),
        (Access(SYSTEM, ((SYSTEM, ALL), (EVERYONE, WRITE))), "everyone"),
        (Access(SYSTEM, ((USERS, 0x40000),)), "every user"),
        (Access(SYSTEM, (("S-1-5-11", 0x40000000),)), "every user who has logged on"),
        (Access(SYSTEM, None), "everyone"),
        (Access(BOB, ((SYSTEM, ALL),)), f"its owner, {BOB}"),
    ],
    ids=["usual", "ours", "an account that was chosen", "write", "its list", "generic", "no list", "another's"],
)
def test_who_may_change_a_file_is_told_where_it_is_everybody_or_another_owner(access: Access, told: str | None) -> None:
    assert stranger(access, CHANGE, ANNE) == told


def test_whoever_may_only_make_new_things_above_a_directory_cannot_replace_it() -> None:
    root_of_a_drive = Access(ADMINISTRATORS, ((USERS, ADD_DIRECTORY),))
    assert stranger(root_of_a_drive, CHANGE, ANNE) == "every user"
    assert stranger(root_of_a_drive, REPLACE, ANNE) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists")
def test_on_another_system_the_mode_says_it(tmp_path: Path) -> None:
    assert who_may(tmp_path, CHANGE) is None


@pytest.mark.skipif(sys.platform != "win32", reason="this is not Windows")
def test_a_configuration_that_everyone_may_change_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pawld.toml"
    file.write_text("[updater]\n")
    grant(file, "D:P(A;;FA;;;OW)(A;;FR;;;WD)")
    assert gather(file, {}).tree == {"updater": {}}

    grant(file, "D:P(A;;FA;;;OW)(A;;FRFW;;;WD)")
    with pytest.raises(OperatorError, match="may be changed by everyone") as refused:
        gather(file, {})
    assert refused.value.reason is Reason.CONFIG_INVALID
    assert who_may(tmp_path / "nowhere", CHANGE) is None


def grant(file: Path, access: str) -> None:
    """Replace the access list of *file*."""
    if sys.platform == "win32":
        import win32security as api  # noqa: PLC0415 - Windows alone has it

        wanted = api.ConvertStringSecurityDescriptorToSecurityDescriptor(access, 1).GetSecurityDescriptorDacl()
        api.SetNamedSecurityInfo(str(file), api.SE_FILE_OBJECT, api.DACL_SECURITY_INFORMATION, None, None, wanted, None)
