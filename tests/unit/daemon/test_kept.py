"""The daemon's own copy of its configuration, where it cannot be made."""

from pathlib import Path

import pytest

from pawld.daemon.kept import keep
from pawld.errors import TransientError
from pawld.reasons import Reason

CONFIG = '[updater]\nstate_dir = "{state}"\n[agents.acme]\nroot = "{home}/opt"\n'


def test_a_state_directory_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("no directory")
    (tmp_path / "pawld.toml").write_text(CONFIG.format(state=state, home=tmp_path))

    with pytest.raises(TransientError, match="Keeping a copy of the configuration") as caught:
        keep(tmp_path / "pawld.toml", {})

    assert caught.value.reason is Reason.IO_FAILED
    assert state.read_text() == "no directory"
