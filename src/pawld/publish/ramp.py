"""A ramp as people write it: ``1% 1h, 10% 6h, 100%``, each step the share that is reached within its time."""

import re
from datetime import timedelta

from pawld.errors import OperatorError
from pawld.model import RampStep
from pawld.reasons import Reason

_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*%(?:\s+(\d+)\s*([smhdw]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EVERYONE = 100.0  # percent


def parse_ramp(text: str) -> tuple[RampStep, ...]:
    """Read a ramp; ``OperatorError`` (usage) unless its shares rise to 100 % and every step but the last has a time."""
    steps = tuple(_step(part.strip()) for part in text.split(","))
    shares = [step.fraction for step in steps]
    if shares != sorted(set(shares)) or shares[-1] != 1.0 or shares[0] <= 0.0:
        raise OperatorError(Reason.USAGE, f"The ramp {text!r} must rise with every step, and end at 100%.")
    if any(not step.lasts for step in steps[:-1]):
        raise OperatorError(Reason.USAGE, f"Every step of the ramp {text!r} but the last needs a time, such as 6h.")
    return steps


def _step(text: str) -> RampStep:
    found = _STEP.fullmatch(text)
    if found is None or float(found[1]) > EVERYONE:
        raise OperatorError(Reason.USAGE, f"{text!r} is no step of a ramp; one reads like `10% 6h`.")
    lasts = timedelta(**{_UNITS[found[3]]: int(found[2])}) if found[2] else timedelta(0)
    return RampStep(float(found[1]) / EVERYONE, lasts)
