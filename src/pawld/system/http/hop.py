"""One request to one place, before anything is sent."""

from collections.abc import Mapping
from dataclasses import field

from pawld.system.http.reach import Reach
from pawld.system.http.urls import Address
from pawld.values import dataclass

LEADS = "pawld_leads"
"""The extension of an answer that redirects: how far it may lead, a ``Reach``."""

_OPEN = frozenset(  # headers that nobody can do anything with; every other may be a credential
    {"accept", "cache-control", "content-type", "if-none-match", "if-range", "pragma", "range"}
)


@dataclass(frozen=True, slots=True)
class Hop:
    """One request.

    Attributes:
        headers: beside those that every request has.
        reach: how far the connection may go; an address is whoever named this one, and it goes as far as a redirect
            from there.
    """

    method: str
    address: Address
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    reach: Reach | Address = Reach.ANYWHERE

    @property
    def may_hold_secrets(self) -> bool:
        """Whether more than the place is told: a body, a query (signed addresses), or a header of unknown use."""
        return bool(self.body) or "?" in self.address.target or not _OPEN.issuperset(map(str.lower, self.headers))
