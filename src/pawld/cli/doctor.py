"""``doctor``: what is wrong with this host, each finding with its evidence and its mend."""

import argparse
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pawld.cli.arguments import add_agent, add_command
from pawld.cli.control import agents_of
from pawld.cli.output import Document, Manner, show, worst_exit
from pawld.errors import OperatorError
from pawld.reasons import Reason

if TYPE_CHECKING:
    from pawld.doctor.finding import Finding
    from pawld.settings import Settings

_SIGNS = {"ok": "ok     ", "warning": "WARNING", "problem": "PROBLEM"}


def add_to(subparsers: Any) -> None:
    """Describe the command."""
    doctor = add_command(subparsers, "doctor")
    add_agent(doctor)
    doctor.set_defaults(handler=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    found = list(_found(arguments))
    document = {"findings": [_document(agent, finding) for agent, finding in found]}
    show(document, _lines(document), Manner(arguments.json))
    problems = [{"reason": {"code": finding.reason.code}} for _, finding in found if finding.reason is not None]
    return worst_exit({"agents": problems})


def _found(arguments: argparse.Namespace) -> "Iterator[tuple[str, Finding]]":
    from pawld.doctor.examination import examination
    from pawld.doctor.finding import problem
    from pawld.settings import load

    try:
        settings = load(arguments.config, os.environ)
    except OperatorError as error:
        yield "", problem("config", error.reason, error.message)
        return
    yield from examination(settings, _known(settings, agents_of(arguments)))


def _known(settings: "Settings", agents: Sequence[str]) -> Sequence[str]:
    for name in agents:
        if name not in settings.agents:
            known = ", ".join(settings.agents)
            raise OperatorError(Reason.USAGE, f"There is no agent {name!r} in the configuration; there is {known}.")
    return agents


def _document(agent: str, finding: "Finding") -> dict[str, Any]:
    return {
        "agent": agent or None,
        "name": finding.name,
        "level": finding.level.value,
        "evidence": finding.evidence,
        "mend": finding.mend or None,
        "reason": finding.reason.code if finding.reason else None,
    }


def _lines(document: Document) -> Iterator[str]:
    for one in document["findings"]:
        whose = f"{one['agent']}: " if one["agent"] else ""
        yield f"{_SIGNS[one['level']]} {whose}{one['name']}: {one['evidence']}"
        if one["mend"]:
            yield f"        mend: {one['mend']}"
