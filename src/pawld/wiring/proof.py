"""What proves an agent's builds: the configured engine, under the one policy."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pawld.errors import OperatorError
from pawld.model import Slot
from pawld.ports import Trust
from pawld.reasons import Reason
from pawld.settings.models import Agent as AgentSettings
from pawld.settings.trust import ChecksumsTrust, ManifestTrust, PinnedTrust, TufTrust
from pawld.trust.engine import Engine
from pawld.trust.evidence import NOTHING, Demand
from pawld.wiring.surroundings import Surroundings
from pawld.wiring.witnesses import Witnesses

if TYPE_CHECKING:
    from pawld.trust.signatures import KeySource


def trust_of(agent: AgentSettings, largest: int, around: Surroundings, installed: Callable[[], Slot | None]) -> Trust:
    """Return the policy over the configured engine, for builds of at most *largest* bytes; there is no way without."""
    from pawld.trust.policy import Policy

    return Policy(
        [engine_of(agent, around)],
        around.marks,
        around.clock,
        around.agent,
        installed=installed,
        evidence=Witnesses(agent.trust.evidence, around.web),
        demand=_demand_of(agent),
        max_length=largest,
        max_age=None if isinstance(agent.trust, TufTrust) else agent.trust.max_age,
    )


def _demand_of(agent: AgentSettings) -> Demand:
    settings = agent.trust.evidence
    return Demand(settings.of, settings.need) if settings else NOTHING


def engine_of(agent: AgentSettings, around: Surroundings) -> Engine:
    """Return the engine that the configuration names."""
    match agent.trust:
        case TufTrust() as settings:
            return _tuf(settings, around)
        case PinnedTrust() as settings:
            from pawld.trust.pinned import PinnedEngine

            return PinnedEngine(settings.sha256, filename=settings.filename)
        case ManifestTrust() as settings:
            from pawld.trust.signed_manifest import SignedManifestEngine

            return SignedManifestEngine(
                settings.manifest_url, _keys(settings, around), web=around.web, signature_url=settings.signature_url
            )
        case ChecksumsTrust() as settings:
            from pawld.trust.signed_checksums import SignedChecksumsEngine

            return SignedChecksumsEngine(
                settings.checksums_url,
                _keys(settings, around),
                web=around.web,
                signature_url=settings.signature_url,
                filename=settings.filename,
            )


def _keys(settings: ManifestTrust | ChecksumsTrust, around: Surroundings) -> "KeySource":
    from pawld.trust.signatures import Keyring

    named = settings.keys_from
    if named is None:
        return Keyring(settings.public_keys, settings.threshold)
    from pawld.trust.tuf import TufEngine, read_root
    from pawld.trust.vendor_keys import CarriedKeys

    cache = around.state / "tuf" / around.agent
    root = read_root(named.root_file)
    return CarriedKeys(TufEngine(named.metadata_url, root, cache, web=around.web, clock=around.clock), named.target)


def _tuf(settings: TufTrust, around: Surroundings) -> Engine:
    from pawld.trust.tuf import TARGET, TufEngine, read_root

    if settings.root_file is not None:
        root = read_root(settings.root_file)
    elif (text := os.environ.get(settings.root_env or "")) is not None:
        root = text.encode()
    else:
        raise OperatorError(
            Reason.CONFIG_INVALID, f"trust.root_env names the variable {settings.root_env}, which is not set."
        )
    return TufEngine(
        settings.metadata_url,
        root,
        around.state / "tuf" / around.agent,
        web=around.web,
        clock=around.clock,
        target=settings.target or TARGET,
        longest=settings.max_metadata,
    )


def product_of(agent: AgentSettings) -> str:
    """Return the product that records name: what the signed checksums call it, or else the agent's own."""
    return (agent.trust.product if isinstance(agent.trust, ChecksumsTrust) else None) or agent.product
