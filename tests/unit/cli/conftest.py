import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from support.control import FakeControl
from support.logs import restored_logging


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeControl], FakeControl]:
    """Put a control in memory where the command line finds the real one."""

    def wire(control: FakeControl) -> FakeControl:
        module = SimpleNamespace(control=lambda config: setattr(control, "config", config) or control)
        monkeypatch.setitem(sys.modules, "pawld.wiring.control", module)
        return control

    return wire


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command sets logging up for its whole process; a test has no process of its own."""
    with restored_logging():
        yield
