import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from support.control import FakeControl


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeControl], FakeControl]:
    """Put a control in memory where the command line finds the real one."""

    def wire(control: FakeControl) -> FakeControl:
        module = SimpleNamespace(control=lambda config: setattr(control, "config", config) or control)
        monkeypatch.setitem(sys.modules, "pawld.wiring.control", module)
        return control

    return wire
