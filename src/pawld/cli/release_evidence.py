"""``release ingest --evidence …``: what else vouches for a build, checked before it is published."""

import shlex
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from pawld.model import Evidence
from pawld.publish.ingest import Vouch
from pawld.system.http import Web

LIMIT = 128 * 1024  # bytes of one file that is read into a record
_EXAMPLE = "minisign public_key=@vendor.pub signature=@acme.tar.gz.minisig"


def add_to(parser: ArgumentParser) -> None:
    """Add the options for evidence, and for what this publisher checks it with."""
    parser.add_argument(
        "--evidence",
        action="append",
        default=[],
        type=evidence,
        metavar="WORDS",
        help=f'what vouches beside the record, such as "{_EXAMPLE}"; @ reads a file, optional=yes offers it',
    )
    parser.add_argument("--trusted-root", type=Path, metavar="FILE", help="Sigstore's trusted root, to check bundles")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="certificates for Authenticode, to check it")


def evidence(text: str) -> Evidence:
    """Read ``TYPE key=value key=@FILE …``; ``ArgumentTypeError`` where it is none."""
    try:
        kind, *words = _words(text)
        facts = dict(word.split("=", 1) for word in words)
    except ValueError as error:
        raise ArgumentTypeError(f'evidence is a type and its facts, such as "{_EXAMPLE}"') from error
    given = {name: _read(Path(value[1:])) if value.startswith("@") else value for name, value in facts.items()}
    if kind == "minisign" and "public_key" in given:
        given["public_key"] = given["public_key"].strip().splitlines()[-1]  # a comment stands above the key
    return Evidence(kind, {"type": kind} | given)


def _words(text: str, system: str = sys.platform) -> list[str]:
    """Split as a shell does; on Windows a backslash is part of a path."""
    found = shlex.shlex(text, posix=True, punctuation_chars=False)
    found.whitespace_split, found.commenters = True, ""
    found.escape = "" if system == "win32" else found.escape
    return list(found)


def vouch(arguments: Namespace, web: Web) -> Vouch:
    """Return what checks the evidence of a build here, as a host would."""
    from pawld.wiring.witnesses import as_a_host

    pinned: dict[str, Any] = {}
    if arguments.trusted_root is not None:
        pinned["sigstore"] = {"trusted_root": str(arguments.trusted_root.absolute())}
    if arguments.ca_file is not None:
        pinned["authenticode"] = {"ca_file": str(arguments.ca_file.absolute())}
    return as_a_host(pinned, web)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
        if len(data) > LIMIT:
            raise ArgumentTypeError(f"{path} is longer than the {LIMIT} bytes that a record can carry")
        return data.decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ArgumentTypeError(f"{path} cannot be read: {why}") from error
