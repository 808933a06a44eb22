"""What every test shares: a test that leans on this machine says so, and is skipped aloud where it cannot run."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.logs import restored_logging
from support.rigs import missing

pytest_plugins = ["support.wine", "support.systemd"]  # systemd_host and windows_python, made once for the whole run

REQUIRED = "PAWLD_REQUIRE_RIGS"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A run in the background ignores Ctrl-C, and so would every program that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose rig is missing, or fail it where PAWLD_REQUIRE_RIGS=1 says that every rig shall be here."""
    for marker in item.iter_markers("rig"):
        for name in marker.args:
            if name == "systemd" and Path(__file__).is_relative_to("/tmp"):
                pytest.skip("the checkout lies below /tmp, which hardened units do not see (PrivateTmp)")
            reason = missing(name)
            if reason is None:
                continue
            if os.environ.get(REQUIRED) == "1":
                pytest.fail(f"the rig {name} is required here, but {reason}", pytrace=False)
            pytest.skip(f"the rig {name} is missing: {reason}")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command sets logging up for its whole process; a test has no process of its own."""
    with restored_logging():
        yield
