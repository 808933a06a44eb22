"""``demo``: the whole story on this machine, without root, and nothing left outside its directory."""

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pawld.cli.arguments import add_command
from pawld.cli.output import Manner, show

_PROMISE = "A vendor, a content network, a publisher and this host, all on loopback, below"


def add_to(subparsers: Any) -> None:
    """Describe the command."""
    demo = add_command(subparsers, "demo")
    demo.add_argument("--keep", action="store_true", help="leave the directory, to look around in it")
    demo.set_defaults(handler=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from pawld.demo.story import Scene, Story
    from pawld.lifecycle.silence import Silence

    manner = Manner(arguments.json)
    scenes: list[Scene] = []
    with _directory(keep=arguments.keep) as home:
        _say(manner, [f"{_PROMISE} {home}"])
        for number, scene in enumerate(Story(home, Silence()).scenes(), start=1):
            _say(manner, _told(number, scene))
            scenes.append(scene)
    if manner.json:
        show({"scenes": [_document(scene) for scene in scenes]}, (), manner)
    _say(manner, [f"\nAll {len(scenes)} scenes ended as they should."])
    return 0


@contextmanager
def _directory(*, keep: bool) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="pawld-demo-"))
    try:
        yield home
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


def _say(manner: Manner, lines: Sequence[str]) -> None:
    if not manner.json:
        print("\n".join(lines), flush=True)


def _told(number: int, scene: Any) -> list[str]:
    outcome = scene.outcome
    return [
        f"\n{number}. {scene.title}",
        f"   => {outcome.reason.code}: {outcome.message}",
        *(f"      {proof}" for proof in scene.proofs),
    ]


def _document(scene: Any) -> dict[str, Any]:
    outcome = scene.outcome
    return {
        "title": scene.title,
        "reason": outcome.reason.document(outcome.message, outcome.retry_at),
        "proofs": list(scene.proofs),
    }
