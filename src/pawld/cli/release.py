"""``pawld release …``: founding a repository, taking builds in, moving them through channels, serving them."""

import argparse
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pawld.cli import release_evidence, release_keys
from pawld.cli import release_talk as talk
from pawld.cli.arguments import moment
from pawld.cli.release_desk import add_desk, add_passphrase, desk, platform, unlock_new
from pawld.errors import OperatorError
from pawld.formats.record import FORMATS
from pawld.model import Location, Platform, Record
from pawld.publish import hold
from pawld.publish.artifacts import blocks_from_web
from pawld.publish.expiry import expiries
from pawld.publish.export import export
from pawld.publish.ingest import Incoming, ingest
from pawld.publish.keys import NamedKey, read_public
from pawld.publish.layout import Layout
from pawld.publish.measure import blocks_of
from pawld.publish.patching.make import BASES, can_make
from pawld.publish.plan import Plan
from pawld.publish.publication import publish
from pawld.publish.publisher import Publisher, locked
from pawld.publish.ramp import parse_ramp
from pawld.publish.refresh import due_here, refresh, renewable
from pawld.publish.release import Conditions, promote
from pawld.publish.roles import ROOT, SINGLE, TARGETS, Quorum
from pawld.publish.setup import Founding, found
from pawld.publish.status import status
from pawld.publish.withdraw import raise_floor, withdraw
from pawld.reasons import Exit, Reason
from pawld.system.clock import SystemClock
from pawld.system.http import Web, checked_url

Hold = Callable[[Publisher, str, str, tuple[Platform, ...]], list[Record]]


def add_to(subparsers: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Add ``release`` with its commands; each sets ``handler``, which takes the arguments and returns an exit code."""
    parser = subparsers.add_parser("release", help="publish builds as a signed, static repository")
    commands = parser.add_subparsers(dest="release_command", metavar="COMMAND", required=True)
    _add_init(commands)
    _add_ingest(commands)
    _add_promote(commands)
    _add_holds(commands)
    _add_upkeep(commands)
    release_keys.add_to(commands)


def _add_init(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    parser = commands.add_parser("init", help="make keys, roles and an empty repository")
    parser.add_argument("directory", type=Path, metavar="DIR", help="where keys and repository shall lie")
    parser.add_argument("--product", action="append", required=True, metavar="NAME", help="what hosts call the product")
    parser.add_argument("--channel", action="append", metavar="NAME", help="default: stable and beta")
    parser.add_argument("--archive-of", metavar="CHANNEL", help="the channel whose releases stay, for pins")
    parser.add_argument(
        "--quorum", action="append", default=[], type=_quorum, metavar="ROLE=N/M", help="N keys, of which M must sign"
    )
    parser.add_argument(
        "--public-key",
        action="append",
        default=[],
        type=_public,
        metavar="ROLE=FILE",
        help="a key held elsewhere",
    )
    parser.add_argument("--unsafe-single-key", action="store_true", help="one key a role: for one person, a test")
    add_passphrase(parser)
    parser.set_defaults(handler=_init)


def _add_ingest(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    parser = commands.add_parser("ingest", help="measure a build, sign its record, put it on a channel")
    parser.add_argument("build", metavar="FILE|URL", help="the build; bytes at a URL are fetched to be measured")
    parser.add_argument("--version", required=True, dest="release_version")
    parser.add_argument("--platform", required=True, type=platform, metavar="OS-ARCH")
    parser.add_argument("--channel", required=True)
    parser.add_argument("--filename", help="default: as the file or the URL calls it")
    parser.add_argument("--format", choices=FORMATS, help="default: as the file name says")
    parser.add_argument("--entrypoint", metavar="PATH", help="the program in the build")
    parser.add_argument("--sha256", metavar="HEX", help="refuse any other bytes")
    parser.add_argument("--no-copy", action="store_true", help="leave the bytes at the URL; hosts fetch them there")
    parser.add_argument("--final-host", action="append", default=[], metavar="HOST", help="where a redirect may end")
    release_evidence.add_to(parser)
    parser.add_argument("--patches", type=int, default=BASES, metavar="N", help=f"older builds to patch from ({BASES})")
    _add_conditions(parser)
    _add_common(parser)
    parser.set_defaults(handler=_ingest)


def _add_promote(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    parser = commands.add_parser("promote", help="put an ingested release on another channel")
    parser.add_argument("release_version", metavar="VERSION")
    parser.add_argument("--to", required=True, metavar="CHANNEL")
    _add_platforms(parser)
    _add_conditions(parser)
    _add_common(parser)
    parser.set_defaults(handler=_promote)


def _add_holds(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    for name, action, help_ in (
        ("halt", hold.halt, "let nobody new have a channel's release"),
        ("pause", hold.pause, "let a rollout grow no further"),
        ("resume", hold.resume, "go on after halt or pause"),
    ):
        parser = commands.add_parser(name, help=help_)
        parser.add_argument("channel", metavar="CHANNEL")
        _add_platforms(parser)
        _add_common(parser)
        parser.set_defaults(handler=_hold, hold=action)
    parser = commands.add_parser("withdraw", help="take a version back, on every channel")
    parser.add_argument("release_version", metavar="VERSION")
    parser.add_argument("--security-floor", metavar="VERSION", help="the lowest version that is still safe")
    _add_common(parser)
    parser.set_defaults(handler=_withdraw)


def _add_upkeep(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    parser = commands.add_parser("status", help="what each channel names, and how long each signature lasts")
    add_desk(parser)
    parser.set_defaults(handler=_status)

    parser = commands.add_parser("refresh", help="sign timestamp and snapshot again; for cron")
    parser.add_argument("--role", action="append", default=[], help="sign this role again too")
    parser.add_argument("--due", action="store_true", help="sign every role that is due and whose keys are here")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 75 where something is due")
    add_desk(parser)
    parser.set_defaults(handler=_refresh)

    parser = commands.add_parser("export", help="write one signed file for hosts without a network")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--channel", required=True)
    parser.add_argument("--platform", required=True, type=platform, metavar="OS-ARCH")
    _add_common(parser)
    parser.set_defaults(handler=_export)

    parser = commands.add_parser("serve", help="serve the repository over plain HTTP, for a laboratory")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on; default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes a free one")
    add_desk(parser)
    parser.set_defaults(handler=_serve)


def _add_common(parser: ArgumentParser) -> None:
    parser.add_argument("--product", metavar="NAME", help="default: the only one")
    add_desk(parser)


def _add_platforms(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--platform", action="append", default=[], type=platform, metavar="OS-ARCH", help="default: every one"
    )


def _add_conditions(parser: ArgumentParser) -> None:
    parser.add_argument("--ramp", type=str, metavar="STEPS", help='such as "1%% 1h, 10%% 6h, 100%%"')
    parser.add_argument("--start", type=moment, metavar="TIME", help="when the rollout begins")
    parser.add_argument("--not-before", type=moment, metavar="TIME", help="no host installs it before")
    parser.add_argument("--security-floor", metavar="VERSION", help="the lowest version that is still safe")
    parser.add_argument("--min-from", metavar="VERSION", help="the lowest version that can update straight to it")
    parser.add_argument("--min-updater", metavar="VERSION", help="the lowest version of pawld that can install it")
    parser.add_argument("--allow-older", action="store_true", help="going back to an older version is meant")


def _init(arguments: Namespace) -> Exit:
    founding = _founding(arguments)
    with locked(arguments.directory):
        published = found(arguments.directory, founding, unlock_new(arguments), SystemClock())
    layout = Layout(arguments.directory)
    if not talk.wants_json(arguments):
        talk.say(f"Serve {layout.public}; give every host {layout.metadata / '1.root.json'}; guard {layout.keys}.")
    return talk.outcome(arguments, (), published)


def _founding(arguments: Namespace) -> Founding:
    channels = tuple(arguments.channel or ("stable", "beta"))
    archived = arguments.archive_of or ("stable" if "stable" in channels else channels[0])
    plan = Plan(tuple(arguments.product), channels, archived)
    single = dict.fromkeys((ROOT, TARGETS, *channels), SINGLE) if arguments.unsafe_single_key else {}
    given: dict[str, tuple[NamedKey, ...]] = {}
    for role, named in arguments.public_key:
        given[role] = (*given.get(role, ()), named)
    founding = Founding(plan, single | dict(arguments.quorum), given)
    weak = [role for role in (ROOT, TARGETS, archived) if founding.quorum(role).threshold == 1]
    if weak and not arguments.unsafe_single_key:
        raise OperatorError(
            Reason.USAGE, f"One key alone could sign for {', '.join(weak)}; say --unsafe-single-key if that is meant."
        )
    return founding


def _ingest(arguments: Namespace) -> Exit:
    conditions = _conditions(arguments)
    with desk(arguments) as publisher, Web() as web:
        product = publisher.plan.product(arguments.product)
        locations = _locations(arguments)
        blocks = blocks_from_web(web.get, locations[0]) if locations else blocks_of(Path(arguments.build))
        incoming = _incoming(arguments, product, locations)
        if arguments.patches and not can_make():
            talk.warn("No patches are made: install pawld[delta] for them.")
        vouch = release_evidence.vouch(arguments, web)
        record = ingest(
            publisher, incoming, blocks, arguments.channel, conditions, patches=arguments.patches, vouch=vouch
        )
        return talk.outcome(arguments, (record,), publish(publisher))


def _incoming(arguments: Namespace, product: str, locations: tuple[Location, ...]) -> Incoming:
    name = (
        arguments.filename
        or (PurePosixPath(urlsplit(arguments.build).path) if locations else Path(arguments.build)).name
    )
    return Incoming(
        product=product,
        version=arguments.release_version,
        platform=arguments.platform,
        filename=name,
        format=arguments.format,
        entrypoint=arguments.entrypoint,
        locations=locations,
        kept=not arguments.no_copy,
        sha256=arguments.sha256,
        evidence=tuple(arguments.evidence),
    )


def _locations(arguments: Namespace) -> tuple[Location, ...]:
    """Return the build's URL as hosts will find it; nothing for a local file."""
    if "://" in arguments.build:
        url = checked_url(arguments.build, "the build's URL")
        return (Location(url, {}, tuple(arguments.final_host)),)
    if arguments.no_copy:
        raise OperatorError(Reason.USAGE, "--no-copy needs the URL at which hosts find the build.")
    if not Path(arguments.build).is_file():
        raise OperatorError(Reason.USAGE, f"There is no file {arguments.build}.")
    return ()


def _promote(arguments: Namespace) -> Exit:
    conditions = _conditions(arguments)
    with desk(arguments) as publisher:
        records = promote(
            publisher,
            publisher.plan.product(arguments.product),
            arguments.release_version,
            arguments.to,
            platforms=tuple(arguments.platform),
            conditions=conditions,
        )
        return talk.outcome(arguments, records, publish(publisher))


def _hold(arguments: Namespace) -> Exit:
    action: Hold = arguments.hold
    with desk(arguments) as publisher:
        product = publisher.plan.product(arguments.product)
        changed = action(publisher, product, arguments.channel, tuple(arguments.platform))
        return talk.outcome(arguments, changed, publish(publisher))


def _withdraw(arguments: Namespace) -> Exit:
    with desk(arguments) as publisher:
        product = publisher.plan.product(arguments.product)
        changed = withdraw(publisher, product, arguments.release_version)
        if arguments.security_floor:
            changed += raise_floor(publisher, product, arguments.security_floor)
        return talk.outcome(arguments, changed, publish(publisher))


def _status(arguments: Namespace) -> Exit:
    with desk(arguments) as publisher:
        return talk.show_status(arguments, status(publisher))


def _refresh(arguments: Namespace) -> Exit:
    with desk(arguments) as publisher:
        if arguments.check:
            due = talk.warnings(expiries(publisher))
            for line in due:
                talk.warn(line)
            return Exit.TRY_LATER if due else Exit.DONE
        roles = [*arguments.role, *(due_here(publisher) if arguments.due else ())]
        if unknown := set(roles) - {*renewable(publisher), "snapshot", "timestamp"}:
            raise OperatorError(Reason.USAGE, f"There is no role {min(unknown)!r}.")
        published = refresh(publisher, dict.fromkeys(roles))
        for line in talk.warnings(expiries(publisher)):
            talk.warn(line)
    talk.outcome(arguments, (), published)
    return Exit.DONE


def _export(arguments: Namespace) -> Exit:
    with desk(arguments) as publisher:
        product = publisher.plan.product(arguments.product)
        record = export(publisher, product, arguments.channel, arguments.platform, arguments.file)
    talk.say(f"Wrote {arguments.file}: {record.version} for {record.platform} from {record.channel}.")
    return Exit.DONE


def _serve(arguments: Namespace) -> Exit:
    from pawld.publish.serve import server

    public = Layout(arguments.repository).public.absolute()
    with server(public, arguments.host, arguments.port) as made:
        url = f"http://{made.server_name}:{made.server_port}/"
        talk.say(f"Serving {public} at {url}")
        talk.say(f'A host says metadata_url = "{url}metadata". Ctrl-C ends this.')
        try:
            made.serve_forever()
        except KeyboardInterrupt:
            talk.say("Stopped.")
    return Exit.DONE


def _conditions(arguments: Namespace) -> Conditions:
    return Conditions(
        ramp=parse_ramp(arguments.ramp) if arguments.ramp else (),
        start=arguments.start,
        min_from=arguments.min_from,
        min_updater=arguments.min_updater,
        security_floor=arguments.security_floor,
        not_before=arguments.not_before,
        older_meant=arguments.allow_older,
    )


def _quorum(text: str) -> tuple[str, Quorum]:
    role, _, counts = text.partition("=")
    keys, _, threshold = counts.partition("/")
    if not (keys.isdecimal() and threshold.isdecimal()):
        raise ArgumentTypeError(f"{text!r} names no keys and threshold; it reads like targets=3/2")
    try:
        return role, Quorum(int(keys), int(threshold))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r}: {error}") from None


def _public(text: str) -> tuple[str, NamedKey]:
    role, given, path = text.partition("=")
    if not given:
        raise ArgumentTypeError(f"{text!r} names no role and file; it reads like targets=alice.pub.json")
    return role, read_public(Path(path))
