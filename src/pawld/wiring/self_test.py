"""What a new pawld must be able to do before it takes over: read this host's state and configuration, and be whole.

It works on a copy of the state. The roots of the agents are looked at and not touched; there is no network.
"""

from collections.abc import Sequence
from typing import Any

from pawld.errors import OperatorError
from pawld.lifecycle.recover import Recovery
from pawld.lifecycle.silence import Silence
from pawld.lifecycle.states import Idle, Probation, RollingBack, Swapping, Waiting
from pawld.reasons import Reason
from pawld.settings import Settings
from pawld.wiring.copied import on_a_copy
from pawld.wiring.host import Host, opened_for_reading


def self_test(settings: Settings, agents: Sequence[str]) -> dict[str, Any]:
    """Return ``{"agents": […]}`` as after a recovery; ``PawldError`` where this pawld cannot take the state over."""
    with on_a_copy(settings) as copied, opened_for_reading(copied) as host:
        if host.database.set_aside is not None:
            raise OperatorError(Reason.STATE_QUARANTINED, "This pawld cannot read the state of this host.")
        return {"agents": [_tried(host, name) for name in host.chosen(agents)]}


def _tried(host: Host, name: str) -> dict[str, Any]:
    """Wire the agent with every adapter that it names, and take its journal on from where it is."""
    cycle, ledger = host.cycle(name, Silence()), host.ledger(name)
    cycle.agent.installer.current()
    if not isinstance(ledger.state, Swapping | Probation | RollingBack | Waiting):
        Recovery(cycle.agent, ledger).settle()
        ledger.rest(Idle(Reason.RECOVERED, "This pawld can take over."))
        if ledger.state != Idle(Reason.RECOVERED, "This pawld can take over."):
            raise OperatorError(Reason.STATE_QUARANTINED, f"This pawld does not read back what it wrote of {name}.")
    reason = Reason.RECOVERED.document("This pawld can take over.")
    return host.describe(name) | {"reason": reason}
