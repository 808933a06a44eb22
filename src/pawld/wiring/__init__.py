"""Settings in, wired agents out: the only chooser of adapters.

An adapter is imported where it is chosen, so that a host pays only for what its configuration names, and ``status``
for almost nothing. ``control`` answers the commands; ``host`` opens this host.
"""
