"""``publisher.json``: the products, the channels and the terms that a publisher chose at ``init``."""

import json
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pawld.errors import OperatorError
from pawld.publish.roles import ARCHIVE, RESERVED, Term, term_of
from pawld.reasons import Reason
from pawld.values import dataclass

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")  # as a record's fields; no "/" may come into a path


@dataclass(frozen=True, slots=True)
class Plan:
    """What this publisher publishes.

    Attributes:
        archived: the channel whose releases stay reachable for pins; the archive is signed by the keys of this one.
        terms: where they differ from ``roles.term_of``.
    """

    products: tuple[str, ...]
    channels: tuple[str, ...]
    archived: str
    terms: Mapping[str, Term] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for word in (*self.products, *self.channels):
            if not _WORD.fullmatch(word):
                raise OperatorError(Reason.CONFIG_INVALID, f"{word!r} cannot name a product or a channel.")
        if taken := set(self.channels) & set(RESERVED):
            raise OperatorError(Reason.CONFIG_INVALID, f"A channel cannot be called {min(taken)!r}.")
        if not self.products or self.archived not in self.channels:
            raise OperatorError(Reason.CONFIG_INVALID, "A repository needs at least one product and one channel.")

    @property
    def delegated(self) -> tuple[str, ...]:
        """The roles that targets delegates to."""
        return (*self.channels, ARCHIVE)

    def term(self, role: str) -> Term:
        """Return how long *role*'s signatures last here."""
        return self.terms.get(role) or term_of(role)

    def product(self, name: str | None) -> str:
        """Return the product that *name* means; None means the only one."""
        if name is None and len(self.products) == 1:
            return self.products[0]
        if name in self.products:
            return str(name)
        raise OperatorError(Reason.USAGE, f"Name one of the products with --product: {', '.join(self.products)}.")

    def channel(self, name: str) -> str:
        """Return *name* if it is a channel; else ``OperatorError`` (usage) names those that are."""
        if name not in self.channels:
            raise OperatorError(Reason.USAGE, f"There is no channel {name!r}; there are {', '.join(self.channels)}.")
        return name

    def document(self) -> bytes:
        """Return the file's bytes."""
        terms = {
            role: [int(term.lifetime.total_seconds()), int(term.renew_after.total_seconds())]
            for role, term in self.terms.items()
        }
        facts = {
            "schema": 1,
            "products": self.products,
            "channels": self.channels,
            "archived": self.archived,
            "terms": terms,
        }
        return json.dumps(facts, indent=1, sort_keys=True).encode() + b"\n"


def read_plan(path: Path) -> Plan:
    """Read ``publisher.json``; ``OperatorError`` (config_missing, config_invalid) where there is none."""
    try:
        return _plan(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise OperatorError(
            Reason.CONFIG_MISSING,
            f"{path.parent} is no publisher's directory; --repository names one, and `pawld release init` makes one.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{path} cannot be read: {error}.") from error


def _plan(facts: dict[str, Any]) -> Plan:
    if facts["schema"] != 1:
        raise ValueError(f"schema {facts['schema']!r} is not known here")
    terms = {
        role: Term(timedelta(seconds=lifetime), timedelta(seconds=renew_after))
        for role, (lifetime, renew_after) in facts["terms"].items()
    }
    return Plan(tuple(facts["products"]), tuple(facts["channels"]), facts["archived"], terms)
