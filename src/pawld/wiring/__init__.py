"""Settings in, wired agents out: the only chooser of adapters.

An adapter is imported where it is chosen, so that a host pays only for what its configuration names.
"""

from pawld.wiring.host import Host, opened_for_change, opened_for_reading

__all__ = ["Host", "opened_for_change", "opened_for_reading"]
