from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from support.archives import PACKERS, everything_below, unpacked

from pawld.errors import RejectedError
from pawld.install.archive import Limits
from pawld.reasons import Reason

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """Unpack an archive that must be refused; return the sentence, having seen that nothing left the slot."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"the agent that runs")
    home = tmp_path / "home"
    home.mkdir()

    numbers = count()

    def outside_of_slots() -> dict[str, bytes | str | None]:
        there = everything_below(tmp_path)
        return {name: content for name, content in there.items() if not name.startswith("home/slot")}

    def attempt(data: bytes, form: str = "tar.gz", limits: Limits | None = None, *, packed: bool = False) -> str:
        before = outside_of_slots()
        slot = home / f"slot{next(numbers)}"
        with pytest.raises(RejectedError) as caught:
            unpacked(data if packed or form == "zip" else PACKERS[form](data), form, slot, limits)
        assert caught.value.reason is Reason.ARCHIVE_REFUSED
        assert outside_of_slots() == before
        assert not [path for path in slot.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())]
        assert "\n" not in caught.value.message
        assert caught.value.message.isprintable()
        return caught.value.message

    return attempt
