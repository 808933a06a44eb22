"""A campaign in parts that run at the same time, each in a process forked from this one.

A part has a place of its own, all that was imported, and this process keeps nothing of what the part broke or hurried.
"""

import gc
import os
import pickle
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from signal import SIGINT, SIGKILL
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

T = TypeVar("T")
PARTS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Part:
    """One of *of* parts, in a directory that is its own."""

    number: int
    of: int
    place: Path

    def mine(self, items: Iterable[T]) -> Iterator[T]:
        """Yield this part's share: each item is in exactly one."""
        return islice(items, self.number, None, self.of)


@dataclass(slots=True)
class Findings:
    """What a campaign, or a part of one, counted, and each thing that was wrong."""

    figures: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    def count(self, what: str, wrong: str = "", where: str = "") -> None:
        """Count one thing, and note what was wrong there."""
        self.figures[what] += 1
        self.bad += [f"{where}: {wrong}"] if wrong else []


def campaign(act: Callable[[Part], Findings], place: Path, parts: int = PARTS) -> Findings:
    """Return what all parts of *act* found together."""
    whole = Findings()
    for one in in_parts(act, place, parts):
        whole.figures.update(one.figures)
        whole.bad += one.bad
    return whole


def apart(act: Callable[[Part], T], place: Path) -> T:
    """Do *act* in one process of its own."""
    return in_parts(act, place, 1)[0]


def in_parts(act: Callable[[Part], T], place: Path, parts: int = PARTS) -> list[T]:
    """Return what *act* returned in each part; what it raised in one is raised here."""
    with TemporaryDirectory(dir=place) as here, ExitStack() as running:
        pipes = [_begun(act, Part(number, parts, Path(here, f"part-{number}")), running) for number in range(parts)]
        answers = [_heard(pipe) for pipe in pipes]
    for answer in answers:
        assert not isinstance(answer, _Raised), answer.story
    return answers


@dataclass(frozen=True, slots=True)
class _Raised:
    story: str


def _begun(act: Callable[[Part], Any], part: Part, running: ExitStack) -> int:
    part.place.mkdir()
    answer, told = os.pipe()
    child = forked(lambda: _tell(told, act, part))
    os.close(told)
    running.callback(_end, child, answer)
    return answer


def _tell(told: int, act: Callable[[Part], Any], part: Part) -> None:
    gc.freeze()  # what was there before the part is not looked through at each of its collections
    try:
        answer = act(part)
    except BaseException:  # noqa: BLE001 - it is told, and raised over there
        answer = _Raised(traceback.format_exc())
    with open(told, "wb") as pipe:
        pickle.dump(answer, pipe)


def _heard(answer: int) -> Any:
    told = b"".join(iter(lambda: os.read(answer, 1 << 20), b""))
    return pickle.loads(told) if told else _Raised("A part of the campaign died without a word.")


def _end(child: int, answer: int) -> None:
    """Wait for the part; one that was not heard to its end is interrupted, so that it unmounts what it has mounted."""
    os.close(answer)
    os.kill(child, SIGINT)
    for _ in range(100):
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.05)
    os.kill(child, SIGKILL)
    os.waitpid(child, 0)


def forked(live: Callable[[], object]) -> int:
    """Return the process id of a child that does *live* and ends, without this process's exit handlers or tracing."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # idle threads of other tests hold nothing that is used here
        child = os.fork()
    if child:
        return child
    sys.settrace(None)
    with suppress(BaseException):
        live()
    os._exit(0)
