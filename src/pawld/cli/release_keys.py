"""The commands of ``pawld release`` around keys: making, rotating, and signing files that are carried by hand."""

import argparse
from argparse import Namespace
from pathlib import Path

from pawld.cli import release_talk as talk
from pawld.cli.release_desk import add_desk, add_passphrase, desk, unlock, unlock_new
from pawld.errors import OperatorError
from pawld.formats.vendor_keys import VendorKeys
from pawld.publish import ceremony, keys
from pawld.publish.edition import missing
from pawld.publish.keys import NamedKey
from pawld.publish.publication import publish
from pawld.publish.publisher import Publisher
from pawld.publish.roles import SINGLE, quorum_of
from pawld.publish.rotate import rotate
from pawld.publish.vendor_keys import name_vendor_keys, read_key_files
from pawld.reasons import Exit, Reason


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``key``, ``describe-key``, ``vendor-keys``, ``rotate``, ``stage``, ``sign`` and ``publish``."""
    new = commands.add_parser("key", help="make a signing key, on the machine where it shall stay")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="where to write NAME.pem and NAME.pub.json")
    add_passphrase(new)
    new.set_defaults(handler=_key)

    describe = commands.add_parser("describe-key", help="describe a key that a KMS or a token holds")
    describe.add_argument("name", metavar="NAME")
    describe.add_argument("--pem", type=Path, required=True, metavar="FILE", help="its public half, as exported")
    describe.add_argument("--uri", required=True, help="gcpkms:…, awskms:…, azurekms:… or hsm:…, as securesystemslib")
    describe.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="where to write NAME.pub.json")
    describe.set_defaults(handler=_describe_key)

    vendor = commands.add_parser("vendor-keys", help="name the minisign keys that a vendor signs checksums with")
    vendor.add_argument("files", type=Path, nargs="+", metavar="KEY.pub", help="every key that counts from now on")
    vendor.add_argument("--threshold", type=int, default=1, metavar="N", help="how many of them must sign (1)")
    vendor.add_argument("--product", metavar="NAME", help="default: the only one")
    add_desk(vendor)
    vendor.set_defaults(handler=_vendor_keys)

    _add_rotate(commands)
    _add_ceremony(commands)


def _add_rotate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("rotate", help="replace a key of a role")
    parser.add_argument("role", metavar="ROLE")
    parser.add_argument("--out", action="append", default=[], metavar="NAME", help="the key that goes")
    parser.add_argument(
        "--key", action="append", default=[], type=Path, metavar="FILE", help="the NAME.pub.json that comes"
    )
    parser.add_argument("--new", type=int, metavar="N", help="how many keys to make here (default: as many as go)")
    parser.add_argument("--threshold", type=int, metavar="N", help="how many of the keys must sign from now on")
    parser.add_argument("--unsafe-single-key", action="store_true", help="let one key do where two should")
    add_desk(parser)
    parser.set_defaults(handler=_rotate)


def _add_ceremony(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    stage = commands.add_parser("stage", help="show what waits for signatures, and copy it out to be carried")
    stage.add_argument("--to", type=Path, metavar="DIR", help="copy the files that miss signatures there")
    stage.add_argument("--discard", action="append", default=[], metavar="ROLE", help="forget what is staged")
    add_desk(stage)
    stage.set_defaults(handler=_stage)

    sign = commands.add_parser("sign", help="add a signature to a carried file; needs no repository and no network")
    sign.add_argument("file", type=Path, metavar="FILE.json")
    sign.add_argument("--key", type=Path, metavar="KEY", help="NAME.pem or NAME.pub.json; without it, only show")
    add_passphrase(sign)
    sign.set_defaults(handler=_sign)

    bring = commands.add_parser("publish", help="take carried files back in, and publish what has its signatures")
    bring.add_argument("files", type=Path, nargs="*", metavar="FILE.json")
    add_desk(bring)
    bring.set_defaults(handler=_publish)


def _key(arguments: Namespace) -> Exit:
    named = keys.generate(arguments.to, arguments.name, unlock_new(arguments)(arguments.name))
    talk.say(f"Made {named.name} ({named.key.keyid[:12]}…): keep {named.name}.pem here, carry {named.name}.pub.json.")
    return Exit.DONE


def _describe_key(arguments: Namespace) -> Exit:
    named = keys.describe_pem(arguments.pem, arguments.name, arguments.uri)
    keys.write_public(arguments.to, named)
    talk.say(f"Described {named.name} ({named.key.keyid[:12]}…) in {named.name}.pub.json.")
    return Exit.DONE


def _vendor_keys(arguments: Namespace) -> Exit:
    keys_in_force = VendorKeys(read_key_files(arguments.files), arguments.threshold)
    with desk(arguments) as publisher:
        path = name_vendor_keys(publisher, publisher.plan.product(arguments.product), keys_in_force)
        published = publish(publisher)
    if not talk.wants_json(arguments):
        talk.say(f"{path}: {keys_in_force.threshold} of {len(keys_in_force.public_keys)} keys must sign.")
    return talk.outcome(arguments, (), published)


def _rotate(arguments: Namespace) -> Exit:
    with desk(arguments) as publisher:
        _refuse_weakening(arguments)
        out = _going(publisher, arguments)
        count = arguments.new if arguments.new is not None else max(0, len(out) - len(arguments.key))
        into = [publisher.keyring.add(keys.read_public(path)) for path in arguments.key]
        into += [publisher.keyring.new(arguments.role) for _ in range(count)]
        rotate(publisher, arguments.role, out, into, arguments.threshold)
        published = publish(publisher)
    if not talk.wants_json(arguments):
        talk.say(f"{arguments.role}: {_names(out)} out, {_names(into)} in.")
    return talk.outcome(arguments, (), published)


def _refuse_weakening(arguments: Namespace) -> None:
    if arguments.threshold == 1 and quorum_of(arguments.role) != SINGLE and not arguments.unsafe_single_key:
        raise OperatorError(
            Reason.USAGE,
            f"One key alone could then sign for {arguments.role}; say --unsafe-single-key if that is meant.",
        )


def _going(publisher: Publisher, arguments: Namespace) -> list[NamedKey]:
    """Return the keys that go: those named, or the only one there is."""
    if arguments.out or arguments.new is not None:
        return [publisher.keyring.named(name) for name in arguments.out]
    held = publisher.keys_of(arguments.role)
    if len(held) != 1:
        names = ", ".join(sorted(publisher.keyring.name_of(keyid) for keyid in held))
        raise OperatorError(Reason.USAGE, f"{arguments.role} has several keys; say which goes with --out: {names}.")
    return [publisher.keyring.named(keyid) for keyid in held]


def _stage(arguments: Namespace) -> Exit:
    with desk(arguments) as publisher:
        for role in arguments.discard:
            publisher.staging.drop(role)
        for role in publisher.staging.roles():
            talk.show_statement(ceremony.statement(publisher.staging.path(role)), f"{role}.json")
        for need in missing(publisher):
            talk.say(talk.waiting_line(need))
        for copy in ceremony.carry(publisher, arguments.to) if arguments.to else ():
            talk.say(f"Copied {copy}: sign it with `pawld release sign {copy.name} --key KEY`.")
    return Exit.DONE


def _sign(arguments: Namespace) -> Exit:
    talk.show_statement(ceremony.statement(arguments.file), arguments.file.name)
    if arguments.key is None:
        return Exit.DONE
    keyid = ceremony.sign_file(arguments.file, ceremony.signer_for(arguments.key, unlock(arguments)))
    talk.say(f"Signed by {keyid[:12]}…; carry {arguments.file.name} back to `pawld release publish`.")
    return Exit.DONE


def _publish(arguments: Namespace) -> Exit:
    with desk(arguments) as publisher:
        for path in arguments.files:
            publisher.staging.merge(path)
        return talk.outcome(arguments, (), publish(publisher))


def _names(those: list[NamedKey]) -> str:
    return ", ".join(named.name for named in those) or "none"
