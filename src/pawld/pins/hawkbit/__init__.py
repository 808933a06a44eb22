"""hawkBit as pin, window and listener: it says when and who, and hears what became of it; bytes are the record's."""

from pawld.pins.hawkbit.campaign import Campaign, Identity
from pawld.pins.hawkbit.pin import HawkbitPin, HawkbitSender
from pawld.pins.hawkbit.window import HawkbitWindow

__all__ = ["Campaign", "HawkbitPin", "HawkbitSender", "HawkbitWindow", "Identity"]
