"""An agent's supply out of one file: the same engine, marks and journal, and no way to the network."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pawld.download.bundle import Bundle, open_bundle
from pawld.errors import OperatorError
from pawld.install.shelf import Shelf
from pawld.lifecycle.agent import Supply
from pawld.model import Location, NoBuild, Offer, Platform, Record
from pawld.ports import Source
from pawld.reasons import Reason
from pawld.settings.models import Agent as AgentSettings
from pawld.settings.pins import FixedPin as FixedSettings
from pawld.settings.trust import TufTrust
from pawld.settings.updater import Updater
from pawld.system.http import OfflineWeb
from pawld.values import dataclass
from pawld.wiring.proof import trust_of
from pawld.wiring.supply import mover_of, targets_url_of
from pawld.wiring.surroundings import Surroundings


def supply_from(file: Path, usual: Supply, agent: AgentSettings, updater: Updater, around: Surroundings) -> Supply:
    """Return *usual* with the bundle in place of every server.

    A version that the configuration fixes still counts; who would have to be asked over a network is not.

    Raises:
        OperatorError: config_invalid without TUF; usage where the bundle is for something else.
        RejectedError: archive_refused.
    """
    if not isinstance(agent.trust, TufTrust):
        raise OperatorError(
            Reason.CONFIG_INVALID,
            f'A bundle is a TUF repository, and agents.{around.agent}.trust.type is "{agent.trust.type}".',
        )
    from pawld.sources.tuf import TARGET, TufSource

    bundle = open_bundle(file)
    _check_meant(bundle, usual)
    target, targets_url = agent.trust.target or TARGET, targets_url_of(agent)
    places = {agent.trust.metadata_url: "metadata", targets_url: "targets"}
    web = OfflineWeb(bundle, places, f"the bundle {file.name}", around.web)
    offline = replace(around, web=web)
    return replace(
        usual,
        source=_Held(TufSource(targets_url, target=target), web),
        trust=trust_of(agent, updater.max_build, offline, Shelf(agent.root).current),
        mover=mover_of(agent, updater.model_copy(update={"mirrors": ()}), offline),
        pin=usual.pin if isinstance(agent.pin, FixedSettings) else None,
        published=lambda _target: (),
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """A source of the places that the bundle holds: one that it does not is no place that was asked in vain."""

    source: Source
    web: OfflineWeb

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:
        return self.source.describe(channel, platform, version)

    def locate(self, record: Record) -> Sequence[Location] | NoBuild:
        found = self.source.locate(record)
        if isinstance(found, NoBuild):
            return found
        return [one for one in found if self.web.holds(one.url)] or found


def _check_meant(bundle: Bundle, usual: Supply) -> None:
    """A mistaken file is told as one; what the bundle says of itself is proven no more than that."""
    said = bundle.contents
    for what, theirs, ours in (
        ("product", said.product, usual.product),
        ("channel", said.channel, usual.channel),
        ("platform", said.platform, usual.platform.name),
    ):
        if theirs != ours:
            raise OperatorError(
                Reason.USAGE, f"{bundle.path} is for the {what} {theirs[:128]!r}, and this agent's is {ours!r}."
            )
