"""Which release is wanted, and what its signed record says. The source says where, trust says what."""

from dataclasses import field, replace

from pawld.errors import RejectedError, TransientError
from pawld.lifecycle import versions
from pawld.lifecycle.agent import Supply
from pawld.model import Hold, NoBuild, Offer, Pinned, Question, Record
from pawld.reasons import Reason
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """Who said what, for ``status --why``."""

    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A release that source and trust agree on."""

    record: Record
    pinned: Pinned | None


@dataclass(slots=True)
class Inquiry:
    """One asking of pin, source and trust; *chain* is kept even where the asking fails."""

    supply: Supply
    chain: list[Said] = field(default_factory=list)

    def resolve(self) -> Resolved | NoBuild | Hold:
        """Ask pin, source and trust in turn; ``RejectedError`` (source_disagrees) where they contradict each other."""
        pinned = self._ask_pin()
        if isinstance(pinned, Hold):
            return pinned
        offer = self._ask_source(pinned)
        if isinstance(offer, NoBuild):
            return offer
        record = self._ask_trust(pinned, offer)
        if isinstance(record, NoBuild):
            return record
        _check_pin(record, pinned)
        _check_offer(record, offer)
        return Resolved(_narrowed(record, offer), pinned)

    def step(self, version: str) -> Record | NoBuild:
        """Ask trust for the archived record of *version*, which a barrier names."""
        supply = self.supply
        question = Question(supply.product, supply.channel, supply.platform, version, pinned=True)
        return supply.trust.record(question)

    def _ask_pin(self) -> Pinned | Hold | None:
        if self.supply.pin is None:
            self._say("configuration", f"follow channel {self.supply.channel}")
            return None
        pinned = self.supply.pin.wanted(self.supply.platform)
        if pinned is None:
            self._say("pin", f"no version is pinned; follow channel {self.supply.channel}")
            return None
        if isinstance(pinned, Hold):
            self._say("pin", pinned.message)
            return pinned
        facts = "".join(f"; {name} {value}" for name, value in pinned.facts.items())
        self._say("pin", f"{pinned.by} pins {pinned.version}{facts}")
        return pinned

    def _ask_source(self, pinned: Pinned | None) -> Offer | NoBuild:
        supply = self.supply
        offer = supply.source.describe(supply.channel, supply.platform, pinned.version if pinned else None)
        if isinstance(offer, NoBuild):
            self._say("source", offer.message)
        elif offer.version is None:
            self._say("source", "it names no version; the signed record does")
        else:
            self._say("source", f"it offers {offer.version} for {supply.platform}")
        return offer

    def _ask_trust(self, pinned: Pinned | None, offer: Offer) -> Record | NoBuild:
        supply = self.supply
        version = pinned.version if pinned else offer.version
        question = Question(
            supply.product, supply.channel, supply.platform, version, offer.filename, pinned=pinned is not None
        )
        record = supply.trust.record(question)
        if isinstance(record, NoBuild):
            self._say("trust", record.message)
        else:
            told = f"the signed record names {record.version}, sequence {record.sequence}, sha256 {record.sha256[:12]}…"
            self._say("trust", told)
        return record

    def _say(self, who: str, what: str) -> None:
        self.chain.append(Said(who, what))


def _check_pin(record: Record, pinned: Pinned | None) -> None:
    if pinned is not None and not versions.same(record.version, pinned.version):
        raise TransientError(
            Reason.PIN_UNSATISFIED,
            f"{pinned.by} pins {pinned.version}, but the signed record names {record.version}; nothing is installed.",
        )


def _check_offer(record: Record, offer: Offer) -> None:
    for what, said, signed in (
        ("version", offer.version, record.version),
        ("sha256", offer.sha256, record.sha256),
        ("length", offer.length if record.length_signed else None, record.length),
    ):
        if said is not None and not _agree(said, signed):
            raise RejectedError(
                Reason.SOURCE_DISAGREES,
                f"The source says {what} {said} where the signed record says {signed}; nothing is installed.",
            )


def _narrowed(record: Record, offer: Offer) -> Record:
    """Where no length is signed, the source's is a better limit than the largest allowed one; both prove nothing."""
    if record.length_signed or not offer.length:
        return record
    return replace(record, length=min(record.length, offer.length))


def _agree(said: str | int, signed: str | int) -> bool:
    return versions.same(str(said), str(signed))
