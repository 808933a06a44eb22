"""The commands of a configuration, with ``{root}``, ``{current}``, ``{slot}`` and ``{version}`` filled in.

An argument stays one argument, whatever is filled into it; no shell ever reads it. Braces around anything but a single
lower-case word are left alone, so that JSON in an argument needs no escape.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pawld.errors import OperatorError
from pawld.model import Slot
from pawld.reasons import Reason

WORDS = ("root", "current", "slot", "version")
_PLACE = re.compile(r"\{([a-z_]+)\}")


def checked(command: Sequence[str], what: str) -> tuple[str, ...]:
    """Return *command* as it is.

    Raises:
        OperatorError: ``CONFIG_INVALID``, naming *what*, where it is empty or has a word that is none of ``WORDS``.
    """
    if not command or not command[0]:
        raise OperatorError(Reason.CONFIG_INVALID, f"The command of {what} is empty.")
    for word in (word for argument in command for word in _PLACE.findall(argument)):
        if word not in WORDS:
            known = ", ".join("{" + one + "}" for one in WORDS)
            raise OperatorError(
                Reason.CONFIG_INVALID, f"The command of {what} has {{{word}}}; what is known is {known}."
            )
    return tuple(command)


def filled(command: Sequence[str], root: Path, slot: Slot) -> tuple[str, ...]:
    """Fill in the agent's *root*, its pointer and the *slot* with its version."""
    words = {
        "root": str(root),
        "current": str(current_path(root, slot)),
        "slot": str(slot.path),
        "version": slot.version,
    }
    return tuple(_PLACE.sub(lambda place: _word(words, place), argument) for argument in command)


def speaks_of_slot(command: Sequence[str]) -> bool:
    """Say whether *command* has a word that only an installed version can fill."""
    return any(word in WORDS and word != "root" for argument in command for word in _PLACE.findall(argument))


def belongs_to_agent(command: Sequence[str], root: Path, slot: Slot) -> bool:
    """Say whether a filled-in *command* runs a program of the agent itself, whose absence is the build's fault."""
    program = Path(command[0])
    return any(program.is_relative_to(place) for place in (slot.path, current_path(root, slot)))


def current_path(root: Path, slot: Slot) -> Path:
    """Return the path by which programs reach the running version; Windows has no link, so it is the slot's own."""
    return slot.path if sys.platform == "win32" else root / "current"


def _word(words: Mapping[str, str], place: re.Match[str]) -> str:
    return words.get(place[1], place[0])
