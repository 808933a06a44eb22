"""Where a connection may lead: a redirect must not turn this host into a door to its own network.

Addresses are judged as they are resolved, at the moment of connecting, and the connection goes to the very address that
was judged; a name that resolves to something else a second later gains nothing (DNS rebinding).
"""

import ipaddress
import socket
from enum import Enum

from pawld.errors import RejectedError
from pawld.reasons import Reason

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(  # services that hand a cloud host's credentials to whoever asks from it
    ipaddress.ip_address(one)
    for one in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")


class Reach(Enum):
    """How far a connection may go."""

    ANYWHERE = "anywhere"  # the administrator wrote the address
    NEAR = "near"  # redirected from this host or a private network: there, or to the public
    PUBLIC = "public"  # redirected from a public address: to the public only

    def allows(self, address: IpAddress) -> bool:
        """Say whether a connection to *address* may be made."""
        if self is Reach.ANYWHERE:
            return True
        address = embedded(address)
        if address in _METADATA or _never(address):
            return False
        return self is Reach.NEAR or address.is_global


def after(address: IpAddress | None, before: Reach) -> Reach:
    """Return how far a redirect may lead that came from *address*; None (unknown) counts as public."""
    if before is Reach.PUBLIC or address is None or embedded(address).is_global:
        return Reach.PUBLIC
    return Reach.NEAR


def resolved(host: str, port: int, reach: Reach) -> list[str]:
    """Return the addresses of *host*, best first; ``RejectedError`` (redirect_refused) where one is out of *reach*.

    One bad address among good ones is enough to refuse: no honest host name needs it. ``OSError`` where the name does
    not resolve.
    """
    found = list(dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    for one in found:
        if not reach.allows(ipaddress.ip_address(one)):
            raise RejectedError(
                Reason.REDIRECT_REFUSED,
                f"The way leads to {host}, which is {one}: no redirect or answer may lead into a host's own network.",
            )
    return found


def embedded(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 address stands for, or *address*."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 0xFFFF):  # noqa: PLR2004 - not :: or ::1
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _never(address: IpAddress) -> bool:
    if address.is_loopback:  # Python counts ::1 among the reserved ones
        return False
    return address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
