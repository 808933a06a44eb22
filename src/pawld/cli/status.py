"""``status``: the straight answer to "why is this host not updated?"."""

import argparse
from collections.abc import Iterator
from typing import Any

from pawld.cli.arguments import add_agent, add_command
from pawld.cli.asking import greeting
from pawld.cli.control import agents_of, control_of
from pawld.cli.output import Document, Manner, moment, show

_DIGITS = 12  # of a sha256, as slots are named


def add_to(subparsers: Any) -> None:
    """Describe the command."""
    status = add_command(subparsers, "status")
    add_agent(status)
    status.add_argument("--why", action="store_true", help="tell the whole chain of decisions")
    status.set_defaults(handler=_status)


def _status(arguments: argparse.Namespace) -> int:
    document = control_of(arguments).status(agents_of(arguments))
    moments = greeting(arguments).get("next", {})
    document = {"agents": [{**one, "next_check": moments.get(one["name"])} for one in document.get("agents", ())]}
    show(document, status_lines(document, chain=arguments.why), Manner(arguments.json))
    return 0


def status_lines(document: Document, *, chain: bool) -> Iterator[str]:
    """Tell each agent's state for a person; with its *chain* of decisions where it was asked for."""
    agents = document.get("agents", ())
    if not agents:
        yield "No agent is configured."
    for agent in agents:
        yield from _agent_lines(agent)
        if chain:
            yield from (f"  because    {sentence}" for sentence in agent.get("why") or ["nothing was decided yet"])


def _agent_lines(agent: Document) -> Iterator[str]:
    reason = agent.get("reason") or {}
    platform = f" for {agent['platform']}" if agent.get("platform") else ""
    yield f"{agent['name']}: {_installed(agent)}, channel {agent.get('channel')}{platform}"
    yield f"  state      {agent.get('state', 'idle').replace('_', ' ')}"
    if reason:
        yield f"  reason     {reason['message']} ({reason['code']})"
    if reason.get("next_step"):
        yield f"  next       {reason['next_step']}"
    if again := agent.get("next_check") or reason.get("retry_at"):
        yield f"  next check {moment(again)}"
    if wanted := agent.get("wanted"):
        yield f"  wanted     {_build(wanted)}, sequence {wanted.get('sequence')}"
    yield f"  last check {moment(agent.get('last_check'))}; last good refresh {moment(agent.get('last_good_refresh'))}"
    yield from (_blocked(one) for one in agent.get("blocked") or ())


def _installed(agent: Document) -> str:
    installed = agent.get("installed")
    if not installed:
        return "nothing installed"
    since = f" since {moment(installed['since'])}" if installed.get("since") else ""
    return f"{_build(installed)}{since}"


def _build(build: Document) -> str:
    return f"{build.get('version')} ({(build.get('sha256') or 'unknown')[:_DIGITS]})"


def _named(build: Document) -> str:
    """A block that an operator wrote by version alone has no digest: it holds for any."""
    return _build(build) if build.get("sha256") else f"{build.get('version')}, whatever its digest,"


def _blocked(one: Document) -> str:
    until = f"until {moment(one['until'])}" if one.get("until") else "until it is unblocked"
    return f"  blocked    {_named(one)} for {one.get('cause')}, {until}"
