"""What every ``release`` command needs first: the directory, the passphrase, the lock."""

import os
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from getpass import getpass
from pathlib import Path

from pawld.cli.arguments import add_common
from pawld.errors import OperatorError
from pawld.model import Platform
from pawld.publish.keys import Unlock
from pawld.publish.publisher import Publisher, locked, open_publisher
from pawld.reasons import Reason
from pawld.system.clock import SystemClock
from pawld.system.faults import host_faults
from pawld.system.platform.names import LIBCS, architecture, operating_system
from pawld.system.secret import Secret

PASSPHRASE = "PAWLD_PASSPHRASE"  # noqa: S105 - a variable's name
REPOSITORY = "PAWLD_REPOSITORY"


def add_desk(parser: ArgumentParser) -> None:
    """Add the options that every command has which works on a publisher's directory."""
    parser.add_argument(
        "--repository",
        type=Path,
        default=Path(os.environ.get(REPOSITORY) or "."),
        metavar="DIR",
        help=f"the publisher's directory (default: ${REPOSITORY}, or this one)",
    )
    add_passphrase(parser)


def add_passphrase(parser: ArgumentParser) -> None:
    """Add where the passphrase of the signing keys comes from, and what every command takes."""
    add_common(parser, default=SUPPRESS)
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help=f"where the signing keys' passphrase is (default: ${PASSPHRASE}, or it is asked for)",
    )


@contextmanager
def desk(arguments: Namespace) -> Iterator[Publisher]:
    """Open the publisher's directory, for this command alone."""
    publisher = open_publisher(arguments.repository, unlock(arguments), SystemClock())
    with locked(arguments.repository), host_faults("Changing the publisher's directory"):
        yield publisher


def unlock(arguments: Namespace) -> Unlock:
    """Return what finds a key's passphrase: the file, the variable, or the person at the terminal."""
    secret = _secret(arguments)
    return _asked if secret is None else lambda _name: secret.read()


def unlock_new(arguments: Namespace) -> Unlock:
    """Return the same for keys that are about to be made: one passphrase for all of them, asked for twice."""
    secret = _secret(arguments)
    return _asked_twice if secret is None else lambda _name: secret.read()


def platform(text: str) -> Platform:
    """Read ``linux-x86_64``, in any usual spelling; ``ArgumentTypeError`` where no host calls itself so."""
    system, _, rest = text.partition("-")
    cpu, _, libc = rest.removesuffix("-").partition("-")
    names = operating_system(system), architecture(cpu), libc.lower() or "glibc"
    if names[0] is None or names[1] is None or names[2] not in LIBCS:
        raise ArgumentTypeError(f"no host calls itself {text!r}; it is for example linux-x86_64 or linux-arm64-musl")
    return Platform(names[0], names[1], LIBCS[names[2]])


def _secret(arguments: Namespace) -> Secret | None:
    if arguments.passphrase_file is not None:
        return Secret.from_file(arguments.passphrase_file)
    return Secret.from_env(PASSPHRASE) if os.environ.get(PASSPHRASE) else None


@cache
def _asked(name: str) -> str:
    _refuse_without_terminal(name)
    return getpass(f"Passphrase of the signing key {name}: ")


def _asked_twice(_name: str) -> str:
    return _new_passphrase()


@cache
def _new_passphrase() -> str:
    _refuse_without_terminal("that is to be made")
    first = getpass("Passphrase for the new signing keys: ")
    if getpass("The same again: ") != first:
        raise OperatorError(Reason.USAGE, "The two passphrases differ.")
    return first


def _refuse_without_terminal(name: str) -> None:
    if not sys.stdin.isatty():
        raise OperatorError(
            Reason.SECRET_MISSING,
            f"The signing key {name} needs a passphrase, and there is no terminal to ask at: "
            f"use --passphrase-file or ${PASSPHRASE}.",
        )
