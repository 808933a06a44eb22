"""Free ports for real servers, which want a number before they start."""

import random
import socket

_BELOW_EPHEMERAL = range(20_000, 32_000)  # no outgoing connection takes one of these between our look and their start


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that the system gives to nobody meanwhile."""
    for port in random.sample(_BELOW_EPHEMERAL, 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("a hundred ports of loopback are all taken")
