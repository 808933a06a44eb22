"""A host is called the same at each start, and its machine id is told to nobody."""

from pathlib import Path

import pytest

from pawld.system import host_id as module
from pawld.system.host_id import host_id
from pawld.system.process import Finished


def test_the_machines_id_is_hashed_and_never_shown(tmp_path: Path) -> None:
    name = host_id(tmp_path, lambda: "0123456789abcdef0123456789abcdef")

    assert name == host_id(tmp_path, lambda: "0123456789abcdef0123456789abcdef")
    assert len(name) == 32
    assert "0123456789abcdef" not in name


def test_a_host_without_an_id_is_given_one_that_stays(tmp_path: Path) -> None:
    name = host_id(tmp_path, lambda: None)

    assert name == host_id(tmp_path, lambda: None)
    (tmp_path / "host-id").write_text("broken")
    assert host_id(tmp_path, lambda: None) not in ("broken", name)


@pytest.mark.parametrize(
    ("probe", "output", "found"),
    [
        (
            module._macos,
            '+-o J314sAP\n      "IOPlatformUUID" = "8D0E9A7C-1111-2222-3333-444455556666"\n',
            "8D0E9A7C-1111-2222-3333-444455556666",
        ),
        (module._macos, "", None),
        (
            module._windows,
            "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography\r\n    MachineGuid    REG_SZ    1b2c\r\n",
            "1b2c",
        ),
        (module._windows, "", None),
    ],
)
def test_recorded_answers_of_other_systems_are_read(
    probe: object, output: str, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "run", lambda command: Finished(tuple(command), 0, output, ""))

    assert probe() == found


def test_linux_asks_the_machine_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def read(path: Path, **_: object) -> str:
        asked.append(str(path))
        return "uninitialized\n" if len(asked) == 1 else "abc\n"

    monkeypatch.setattr(Path, "read_text", read)
    assert module._linux() == "abc"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "")
    assert module._linux() is None
