"""Who judges: the health checks of a new slot, and the gates before a swap."""

from collections.abc import Sequence
from pathlib import Path

from pawld.install.shelf import Shelf
from pawld.model import Slot
from pawld.ports import Gate, HealthCheck, Service
from pawld.settings import gates as gate_settings
from pawld.settings import health as health_settings
from pawld.settings.models import Agent as AgentSettings
from pawld.system import template
from pawld.system.local_line import FILENAME
from pawld.wiring.network import auth_of
from pawld.wiring.packages import lock_gates_of
from pawld.wiring.surroundings import Surroundings


def health_of(agent: AgentSettings, around: Surroundings, service: Service) -> Sequence[HealthCheck]:
    """Return the checks that must hold on probation."""
    return [_check(one, agent, around, service) for one in agent.health.checks]


def gates_of(agent: AgentSettings, around: Surroundings) -> tuple[Sequence[Gate], Sequence[Gate]]:
    """Return the windows, which ``--force`` passes, and all other gates."""
    windows: list[Gate] = []
    others: list[Gate] = []
    for number, one in enumerate(agent.gates):
        target = windows if isinstance(one, gate_settings.WindowGate) else others
        target.append(_gate(one, f"{one.type}-{number}", agent, around))
    others.extend(lock_gates_of(agent))
    return windows, others


def _check(
    settings: health_settings.Check, agent: AgentSettings, around: Surroundings, service: Service
) -> HealthCheck:
    match settings:
        case health_settings.ServiceCheck():
            from pawld.health.service import ServiceCheck

            return ServiceCheck(service, every=settings.every)
        case health_settings.CommandCheck():
            from pawld.health.command import CommandCheck

            return CommandCheck(settings.command, root=agent.root, every=settings.every, limit=settings.timeout)
        case health_settings.HttpCheck():
            from pawld.health.http import HttpCheck

            return HttpCheck(
                settings.url, around.web, status=settings.status, every=settings.every, limit=settings.timeout
            )
        case health_settings.VersionCheck():
            from pawld.health.version import VersionCheck

            return VersionCheck(settings.command, root=agent.root, every=settings.every, limit=settings.timeout)
        case health_settings.UpdaterCheck():
            from pawld.health.updater import UpdaterCheck

            return UpdaterCheck(
                around.state / FILENAME,
                around.agent,
                around.clock,
                patience=agent.health.probation * 2 / 3,
                every=settings.every,
                limit=settings.timeout,
            )


def _gate(settings: gate_settings.Gate, name: str, agent: AgentSettings, around: Surroundings) -> Gate:
    match settings:
        case gate_settings.WindowGate():
            from pawld.gates.window import WindowGate

            return WindowGate(
                days=settings.days,
                opens=settings.opens,
                closes=settings.closes,
                timezone=settings.timezone,
                max_deferral=settings.max_deferral,
                name=name,
            )
        case gate_settings.BusyGate():
            from pawld.gates.busy import BusyGate

            return BusyGate(
                command=settings.command,
                lock_file=settings.lock_file,
                port=settings.port,
                limit=settings.timeout,
                fill=lambda command: _filled(command, agent.root),
                max_deferral=settings.max_deferral,
                name=name,
            )
        case gate_settings.PowerGate():
            from pawld.gates.power import PowerGate

            return PowerGate(min_battery=settings.min_battery, max_deferral=settings.max_deferral, name=name)
        case gate_settings.CodeartsRunGate() | gate_settings.CodeartsPoolGate():
            return _codearts(settings, name, around)
        case gate_settings.FleetLockGate():
            from pawld.gates.fleet_lock import FleetLockGate

            return FleetLockGate(
                around.web,
                settings.base_url,
                settings.id or around.lock_holder,
                group=settings.group,
                max_deferral=settings.max_deferral,
                name=name,
            )
        case gate_settings.EtcdLockGate():
            return _etcd(settings, name, around)


def _filled(command: Sequence[str], root: Path) -> Sequence[str] | None:
    """Fill in what is installed now; None where nothing is, and *command* speaks of it."""
    if not template.speaks_of_slot(command):
        return template.filled(command, root, Slot(root, "", ""))
    current = Shelf(root).current()
    return template.filled(command, root, current) if current else None


def _etcd(settings: gate_settings.EtcdLockGate, name: str, around: Surroundings) -> Gate:
    from pawld.gates.etcd_lock import EtcdLockGate
    from pawld.vendors.etcd import DEADLINE, Etcd, Login

    web = around.web if settings.ca_file is None else around.open_web(settings.ca_file)
    login = Login(settings.user, settings.password) if settings.user and settings.password else None
    deadline = min(DEADLINE, settings.lease / 3)  # a call that hangs must leave time for another
    return EtcdLockGate(
        lambda: Etcd(web, settings.endpoints, login, deadline=deadline),
        around.lock_holder,
        key=settings.key,
        slots=settings.slots,
        lease=settings.lease,
        max_deferral=settings.max_deferral,
        name=name,
    )


def _codearts(
    settings: gate_settings.CodeartsRunGate | gate_settings.CodeartsPoolGate, name: str, around: Surroundings
) -> Gate:
    auth = auth_of(settings.auth, around.web, around.clock.now, around.token_cache(name))
    if isinstance(settings, gate_settings.CodeartsRunGate):
        from pawld.gates.codearts_run import CodeartsRunGate

        return CodeartsRunGate(
            around.web,
            settings.base_url,
            auth,
            around.clock.now,
            project_id=settings.project_id,
            runs=[(run.pipeline_id, run.pipeline_run_id) for run in settings.runs],
            name=name,
            max_deferral=settings.max_deferral,
        )
    from pawld.gates.codearts_pool import CodeartsPoolGate

    return CodeartsPoolGate(
        around.web,
        settings.base_url,
        auth,
        around.clock.now,
        task_id=settings.task_id,
        pool_id=settings.pool_id,
        pool_type=settings.pool_type,
        name=name,
        max_deferral=settings.max_deferral,
    )
