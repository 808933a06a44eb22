"""What the daemon's other threads put into its inbox."""

from enum import Enum

from pawld.daemon.child import Ending
from pawld.system.local_line import Caller
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Due:
    """An agent's moment has come."""

    agent: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The work under way is over."""

    ending: Ending


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody is on the line."""

    caller: Caller


class Order(Enum):
    """What a signal means."""

    STOP = "stop"
    RELOAD = "reload"


Message = Due | Ended | Asked | Order
