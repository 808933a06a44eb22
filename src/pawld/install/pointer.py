"""The one name that is moved: ``current``, a symbolic link, or on Windows the file ``current.json``.

Both are replaced by a single rename, so there is never a moment without one. Neither follows what the other wrote.
"""

import errno
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pawld.errors import OperatorError
from pawld.install.layout import is_slot_name
from pawld.reasons import Reason
from pawld.system import files

# Nothing has the name, a file has it, or the root is not for us to look into.
_NONE_OF_OURS = (errno.ENOENT, errno.EINVAL, errno.ENOTDIR, errno.EACCES)
_SCHEMA = 1


class Pointer(Protocol):
    """Says which slot is current."""

    path: Path

    def read(self) -> str | None:
        """Return the slot's name; None where there is no pointer, or none of ours; ``OSError`` from a sick disk."""

    def move(self, name: str) -> None:
        """Point to that slot, atomically and durably; to move where it points already makes it durable again."""

    def command(self, name: str) -> Sequence[str]:
        """Return a command that does the same without pawld, for the dead man's switch."""


class LinkPointer:
    """``current -> versions/<slot>``, relative, so that the root may be moved as a whole."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.path = root / "current"

    def read(self) -> str | None:
        """Return the name that the link ends in; None for a link that leads elsewhere."""
        try:
            target = Path(os.readlink(self.path))  # noqa: PTH115 - Path.readlink hides what Windows prefixes
        except OSError as error:
            if error.errno in _NONE_OF_OURS:
                return None
            raise  # a sick disk does not mean that nothing is installed
        return target.name if target.parts[:-1] == ("versions",) and is_slot_name(target.name) else None

    def move(self, name: str) -> None:
        """Make the new link beside the old one, and rename it over; never unlink first."""
        if self.read() != name:
            self._refuse_what_others_made()
            staged = self._root / ".current.new"
            staged.unlink(missing_ok=True)
            staged.symlink_to(f"versions/{name}")
            staged.replace(self.path)
        files.fsync_directory(self._root)

    def command(self, name: str) -> Sequence[str]:
        """Return a link beside the old one and a rename over it, as a shell line; not every ``mv`` can do that.

        It has no semicolon: systemd 252 puts a backslash before one when it reads a transient unit anew.
        """
        staged, current = shlex.quote(str(self._root / ".current.back")), shlex.quote(str(self.path))
        link = f"ln -sfn {shlex.quote(f'versions/{name}')} {staged}"
        rename = f"mv -fT {staged} {current} 2>/dev/null || perl -e 'rename(shift, shift) or die' {staged} {current}"
        return ["/bin/sh", "-c", f"{link} && ( {rename} ) && sync"]

    def _refuse_what_others_made(self) -> None:
        if not os.path.lexists(self.path) or self.read() is not None:
            return
        raise OperatorError(
            Reason.OWNED_BY_OTHERS,
            f"{str(self.path)!r} is there and leads to no slot of pawld; move it away, or give the agent another root.",
        )


class FilePointer:
    """``current.json`` with the slot's name, for systems where a link needs a privilege."""

    def __init__(self, root: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.path = root / "current.json"
        self._sleep = sleep

    def read(self) -> str | None:
        """Return the name in the file; None for a file that is torn or not ours."""
        try:
            document = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return None
        name = document.get("slot") if isinstance(document, dict) and document.get("schema") == _SCHEMA else None
        return name if isinstance(name, str) and is_slot_name(name) else None

    def move(self, name: str) -> None:
        """Write the new file beside the old one, and rename it over, with patience for whoever holds it open."""
        document = {"schema": _SCHEMA, "slot": name, "path": f"versions/{name}"}
        data = json.dumps(document).encode() + b"\n"
        files.patiently(lambda: files.write_durably(self.path, data, mode=0o644), self._sleep)

    def command(self, name: str) -> Sequence[str]:
        """Return a new file beside the old one and a rename over it, for ``cmd.exe``."""
        staged = self.path.with_name(".current.back.json")
        document = json.dumps({"schema": _SCHEMA, "slot": name, "path": f"versions/{name}"})
        return ["cmd.exe", "/c", f'echo {document}>"{staged}" && move /y "{staged}" "{self.path}"']


def pointer_for(root: Path, system: str = sys.platform) -> Pointer:
    """Return the form of pointer that this host takes without privileges; *system* as ``sys.platform`` has it."""
    return FilePointer(root) if system == "win32" else LinkPointer(root)
