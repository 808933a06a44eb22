"""Where builds come from and who orders them: source, pin and mover."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from pawld.model import Location
from pawld.ports import Mover, Pin, Source
from pawld.settings.models import Agent as AgentSettings
from pawld.settings.pins import FixedPin as FixedSettings
from pawld.settings.pins import HawkbitPin as HawkbitSettings
from pawld.settings.sources import CodeartsSource as CodeartsSettings
from pawld.settings.sources import ScalepadSource as ScalepadSettings
from pawld.settings.sources import TufSource as TufSettings
from pawld.settings.trust import ManifestTrust, PinnedTrust, TufTrust
from pawld.settings.updater import Updater
from pawld.wiring.network import auth_of
from pawld.wiring.surroundings import Surroundings

if TYPE_CHECKING:
    from pawld.pins.hawkbit import Campaign


def source_of(agent: AgentSettings, around: Surroundings) -> Source:
    """Return what locates this agent's builds."""
    settings, web, now = agent.source, around.web, around.clock.now
    if isinstance(settings, ScalepadSettings):
        from pawld.sources.scalepad import ScalepadSource

        return ScalepadSource(web, settings.base_url, settings.token, now, final_hosts=settings.final_hosts)
    if isinstance(settings, CodeartsSettings):
        from pawld.sources.codearts import CodeartsSource

        return CodeartsSource(
            web,
            settings.base_url,
            auth_of(settings.auth, web, now, around.token_cache("source")),
            now,
            project_id=settings.project_id,
            pipeline_id=settings.pipeline_id,
            pipeline_run_id=settings.pipeline_run_id,
            job_run_id=settings.job_run_id,
            arch_names=settings.arch_names,
            final_hosts=settings.final_hosts,
        )
    if isinstance(settings, TufSettings):
        from pawld.sources.tuf import TARGET, TufSource

        trust = agent.trust
        target = trust.target if isinstance(trust, TufTrust) and trust.target else TARGET
        return TufSource(targets_url_of(agent), target=target, token=settings.token, final_hosts=settings.final_hosts)
    from pawld.sources.manifest import ManifestSource

    manifest_url = agent.trust.manifest_url if isinstance(agent.trust, ManifestTrust) else None
    return ManifestSource(
        web, manifest_url, now, url=settings.url, token=settings.token, final_hosts=settings.final_hosts
    )


def published_of(agent: AgentSettings) -> Callable[[str], Sequence[Location]]:
    """Return where patches and lists of files lie: in the repository of the records; nowhere without one."""
    if not isinstance(agent.trust, TufTrust):
        return lambda _target: ()
    from pawld.sources.published import PublishedPlaces

    settings = agent.source
    if not isinstance(settings, TufSettings):
        return PublishedPlaces(targets_url_of(agent)).locate
    return PublishedPlaces(targets_url_of(agent), token=settings.token, final_hosts=settings.final_hosts).locate


def targets_url_of(agent: AgentSettings) -> str:
    """Return where a TUF repository has its targets: as configured, or else beside its metadata."""
    if isinstance(agent.source, TufSettings) and agent.source.targets_url:
        return agent.source.targets_url
    metadata_url = agent.trust.metadata_url if isinstance(agent.trust, TufTrust) else ""
    return urljoin(metadata_url.rstrip("/"), "targets")


def pin_of(agent: AgentSettings, around: Surroundings, campaign: "Campaign | None" = None) -> Pin | None:
    """Return who orders the version; None follows the channel. *campaign* is the host's talk with its server."""
    settings = agent.pin
    if settings is None:
        return _version_of_pinned_bytes(agent)
    if isinstance(settings, FixedSettings):
        from pawld.pins.fixed import FixedPin

        return FixedPin(settings.version, allow_downgrade=settings.allow_downgrade)
    if isinstance(settings, HawkbitSettings):
        from pawld.pins.hawkbit import HawkbitPin

        return HawkbitPin(campaign, allow_downgrade=settings.allow_downgrade) if campaign is not None else None
    from pawld.pins.prefactor import PrefactorPin

    return PrefactorPin(
        around.web,
        settings.token,
        around.clock.now,
        deployment_id=settings.deployment_id,
        agent_version_id=settings.agent_version_id,
        base_url=settings.base_url,
        allow_ambiguous=settings.allow_ambiguous,
        allow_downgrade=settings.allow_downgrade,
    )


def mover_of(agent: AgentSettings, updater: Updater, around: Surroundings) -> Mover:
    """Return what moves the bytes."""
    from pawld.download.mover import HttpMover

    return HttpMover(
        around.web,
        around.clock,
        mirrors=updater.mirrors,
        rests=around.state / "mirrors.json",
        limit=updater.rate_limit,
        deadline=updater.download_deadline,
        reserve=agent.install.reserve,
        through=around.open_through,
    )


def _version_of_pinned_bytes(agent: AgentSettings) -> Pin | None:
    """A digest in the configuration says which bytes, and beside it may stand which version they are."""
    if not isinstance(agent.trust, PinnedTrust) or agent.trust.version is None:
        return None
    from pawld.pins.fixed import FixedPin

    return FixedPin(agent.trust.version, allow_downgrade=False)
