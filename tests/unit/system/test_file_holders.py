"""Who holds a file on Windows: asked of its Restart Manager, here one in memory with the same calls and structures."""

import ctypes
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pawld.system.file_holders import ProcessInfo, holders, told


@dataclass
class Manager:
    """A Restart Manager; *knows* are pid, program and service of each process, *fails* what answers 5."""

    knows: list[tuple[int, str, str]]
    fails: str = ""
    registered: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    grows: int = 0

    def RmStartSession(self, session: Any, _flags: int, key: Any) -> int:  # noqa: N802 - as Windows calls it
        assert len(key) == 33
        session._obj.value = 7
        return self._answer("RmStartSession")

    def RmRegisterResources(self, session: Any, count: int, names: Any, *rest: Any) -> int:  # noqa: N802 - as above
        assert (session.value, rest) == (7, (0, None, 0, None))
        self.registered = [names[number] for number in range(count)]
        return self._answer("RmRegisterResources")

    def RmGetList(self, _session: Any, needed: Any, given: Any, found: Any, _reboot: Any) -> int:  # noqa: N802 - as above
        self.knows += [(90, "another", "")] * self.grows
        needed._obj.value = len(self.knows)
        if given._obj.value < len(self.knows):
            self.calls.append("more")
            return 234
        for place, (pid, name, service) in zip(found, self.knows, strict=False):
            place.pid = pid
            _write(place.name, name)
            _write(place.service, service)
        given._obj.value = len(self.knows)
        return self._answer("RmGetList")

    def RmEndSession(self, session: Any) -> int:  # noqa: N802 - as above
        assert session.value == 7
        return self._answer("RmEndSession")

    def _answer(self, call: str) -> int:
        self.calls.append(call)
        return 5 if call == self.fails else 0


def _write(units: Any, text: str) -> None:
    data = text.encode("utf-16-le")
    for place in range(0, len(data), 2):
        units[place // 2] = int.from_bytes(data[place : place + 2], "little")


def test_the_structure_is_as_long_as_windows_has_it() -> None:
    assert ctypes.sizeof(ProcessInfo) == 668


def test_processes_and_services_are_named() -> None:
    manager = Manager([(412, "Größe Scanner", "ScanSvc"), (77, "acme.exe", ""), (9, "", "")])
    named = holders([r"C:\acme\current.json", r"C:\acme\new"], manager)
    assert named == ("Größe Scanner (service ScanSvc, process 412)", "acme.exe (process 77)", "a program (process 9)")
    assert manager.registered == [r"C:\acme\current.json", r"C:\acme\new"]
    assert manager.calls == ["RmStartSession", "RmRegisterResources", "RmGetList", "RmEndSession"]


def test_a_longer_list_is_asked_for_again() -> None:
    manager = Manager([(number, "acme.exe", "") for number in range(20)])
    assert len(holders(["C:\\held"], manager)) == 20
    assert manager.calls.count("more") == 1


def test_a_list_that_goes_on_growing_names_nobody_and_ends() -> None:
    manager = Manager([(1, "acme.exe", "")] * 9, grows=300)
    assert holders(["C:\\held"], manager) == ()
    assert manager.calls == ["RmStartSession", "RmRegisterResources", "more", "more", "more", "RmEndSession"]


@pytest.mark.parametrize("call", ["RmStartSession", "RmRegisterResources", "RmGetList"])
def test_where_it_fails_nobody_is_named_and_its_session_is_ended(call: str) -> None:
    manager = Manager([(1, "acme.exe", "")], fails=call)
    assert holders(["C:\\held"], manager) == ()
    assert ("RmEndSession" in manager.calls) == (call != "RmStartSession")


def test_a_sentence_names_three_at_most() -> None:
    assert told(["a"]) == "a"
    assert told(["a", "b"]) == "a and b"
    assert told(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_a_host_that_tells_of_nobody_names_nobody(tmp_path: Path) -> None:
    """Wine has the calls and knows nobody; another system has none."""
    held = tmp_path / "held"
    with held.open("w"):
        named = holders([str(held)])
    assert named == () or (sys.platform == "win32" and all("process" in one for one in named))
