"""A secret, known by where it lies. It is read again at each use, so that a rotated one counts at once.

Nothing here keeps, shows or logs the value; ``describe`` names the place and never what lies there.
"""

import os
import stat
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pawld.errors import OperatorError
from pawld.reasons import Reason

LIMIT = 128 * 1024  # bytes; Huawei documents tokens of up to 100,000 characters
COMMAND_LIMIT = timedelta(seconds=30)

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OWNERS_ONLY = sys.platform != "win32"  # Windows guards by access lists, which the mode does not show


class Secret:
    """A secret in a file, in a variable of the environment, or printed by a command: exactly one of them."""

    def __init__(
        self, *, file: Path | str | None = None, env: str | None = None, command: Sequence[str] | None = None
    ) -> None:
        if sum(place is not None for place in (file, env, command)) != 1:
            raise OperatorError(
                Reason.CONFIG_INVALID, "A secret needs exactly one place: a file, a variable, or a command."
            )
        self._file = Path(file) if file is not None else None
        self._env = env
        self._command = tuple(command or ())

    @classmethod
    def from_file(cls, path: Path | str) -> "Secret":
        """Name a file that its owner alone may read."""
        return cls(file=path)

    @classmethod
    def from_env(cls, name: str) -> "Secret":
        """Name a variable of the environment."""
        return cls(env=name)

    @classmethod
    def from_command(cls, command: Sequence[str]) -> "Secret":
        """Name a program that prints the secret on its standard output."""
        return cls(command=command)

    @classmethod
    def from_credential(cls, name: str) -> "Secret":
        """Name a systemd credential (``LoadCredential=NAME:…``); ``OperatorError`` where systemd passed none."""
        directory = os.environ.get("CREDENTIALS_DIRECTORY")
        if not directory or Path(name).name != name:
            raise OperatorError(
                Reason.SECRET_MISSING,
                f"The systemd credential {name} cannot be read: this process has no $CREDENTIALS_DIRECTORY "
                "with such a name; add LoadCredential= to its unit.",
            )
        return cls(file=Path(directory) / name)

    def read(self) -> str:
        """Return the secret, without the white space around it.

        Raises:
            OperatorError: secret_missing where there is none; secret_exposed where others may read the file.
        """
        if self._file is not None:
            text = _read_file(self._file)
        elif self._env is not None:
            text = os.environ.get(self._env, "")
        else:
            text = self._run()
        return self._checked(text.strip())

    def describe(self) -> str:
        """Return the place in words, for a sentence."""
        if self._file is not None:
            return f"the file {self._file}"
        if self._env is not None:
            return f"the variable {self._env}"
        return f"the command {self._command[0] if self._command else '(empty)'}"

    def __repr__(self) -> str:
        return f"Secret({self.describe()})"

    def _run(self) -> str:
        if not self._command:
            raise OperatorError(Reason.CONFIG_INVALID, "The command that prints a secret is empty.")
        from pawld.system import process  # noqa: PLC0415 - few secrets come from a program

        finished = process.run(self._command, limit=COMMAND_LIMIT)
        if not finished.ok:
            # Its last words are left out: they may hold the secret.
            ending = "did not end by itself" if finished.code is None else f"ended with {finished.code}"
            raise OperatorError(Reason.SECRET_MISSING, f"The secret is missing: {self.describe()} {ending}.")
        return finished.output

    def _checked(self, text: str) -> str:
        if not text:
            raise OperatorError(Reason.SECRET_MISSING, f"The secret is missing: {self.describe()} holds nothing.")
        if not text.isprintable():
            raise OperatorError(
                Reason.SECRET_MISSING,
                f"The secret in {self.describe()} holds a line break or another control character.",
            )
        return text


def _read_file(path: Path) -> str:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            _refuse_exposed(path, os.fstat(file.fileno()))
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise OperatorError(
            Reason.SECRET_MISSING, f"The secret file {path} cannot be read: {error.strerror or error}."
        ) from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text or len(data) > LIMIT:
        raise OperatorError(
            Reason.SECRET_MISSING, f"The secret file {path} holds no text of 1 to {LIMIT} bytes of UTF-8."
        ) from None
    return text


def _without_waiting(path: str, flags: int) -> int:
    """Open even a pipe at once, so that what it is can be seen."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_exposed(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OperatorError(Reason.SECRET_MISSING, f"The secret file {path} is not a regular file.")
    exposed = _OTHERS & ~stat.S_IRWXG if _is_credential(path) else _OTHERS
    if _OWNERS_ONLY and found.st_mode & exposed:
        raise OperatorError(
            Reason.SECRET_EXPOSED,
            f"The secret file {path} may be used by others than its owner (mode {stat.S_IMODE(found.st_mode):04o}).",
        )


def _is_credential(path: Path) -> bool:
    """Whether systemd passed the file: it grants a service user access by an ACL, which shows as a group's bits."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(directory) and path.parent == Path(directory or "")
