"""pawld as an agent among its agents: who carries a swap of pawld out, and where.

The swap stops pawld's own service, so it is carried out by a unit of its own that systemd runs (``own_command``), and
always by the code of the slot that is left: a new pawld never judges itself. Whoever finds such a swap interrupted
hands it over in the same way.
"""

import os
import sys
from pathlib import Path

import pawld
from pawld.install.shelf import Shelf
from pawld.lifecycle.cycle import Outcome
from pawld.lifecycle.states import Probation, RollingBack, Swapping
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.system.own_command import DETACHED, WITHIN, can_detach, detach, own_command
from pawld.wiring.host import Host

_PROGRAM = Path("bin", "pawld")  # in a slot whose record names no entrypoint


def handed_over(host: Host, name: str, config: Path | None) -> Outcome | None:
    """Hand an interrupted swap of pawld itself over; None where there is none, or where this process is to do it."""
    if not host.settings.agents[name].is_pawld:
        return None
    state = host.ledger(name).state
    if not isinstance(state, Swapping | Probation | RollingBack):
        return None
    slots = Shelf(host.settings.agents[name].root).slots()
    if not can_detach():
        return _not_from_within(name, state.build.version)
    previous = next((one for one in slots if one.name == state.previous), None)
    if os.environ.get(DETACHED) and (previous is None or _runs_from(previous)):
        return None
    program = own_command() if previous is None else [str(previous.path / (previous.entrypoint or _PROGRAM))]
    where = ["--config", str(config)] if config else []
    started = detach(f"pawld-self-{name}", [*program, *where, "recover", name])
    if not started.ran:
        return _not_from_within(name, state.build.version)
    who = f"pawld {previous.version}" if previous else "pawld"
    doing = "is being carried on" if started.ok else "is already under way"
    return Outcome(name, Reason.IN_PROGRESS, f"The swap to {state.build.version} {doing} by {who}, apart from this.")


def _not_from_within(name: str, version: str) -> Outcome | None:
    """Refuse where the service that the swap has to stop would take this process along; None where it would not."""
    if not os.environ.get(WITHIN):
        return None
    return Outcome(
        name,
        Reason.USAGE,
        f"The swap of pawld to {version} was interrupted, and cannot be carried on from within pawld's own service; "
        f"run `pawld recover {name}`.",
    )


def _runs_from(slot: Slot) -> bool:
    """Say whether this very process is that slot's pawld."""
    code = Path(sys.executable if getattr(sys, "frozen", False) else pawld.__file__)
    return code.resolve().is_relative_to(slot.path.resolve())
