"""Agents that misbehave while they are on probation: real processes, real commands, a real update."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from support.configuration import MINIMAL, loaded

from pawld.drill.ground import AGENT, Ground, prepared
from pawld.drill.program import Build
from pawld.install.shelf import Shelf
from pawld.lifecycle.cycle import Outcome
from pawld.lifecycle.silence import Silence
from pawld.reasons import Reason
from pawld.settings.models import Settings
from pawld.wiring.host import opened_for_change

FORKS = '"$0" serve & echo $! >"$(dirname "$0")/../../../agent.pid"; exit 0'
# It comes back for some seconds only: no stop command could end what always comes back.
RESTARTS = 'for n in 1 2 3 4 5 6 7 8 9; do sleep 0.7 & echo $! >"$(dirname "$0")/../../../agent.pid"; wait; done'
DELETES = 'rm -rf "$(dirname "$0")"; while :; do sleep 1; done'
IGNORES = "trap '' TERM; while :; do sleep 1; done"


@dataclass(frozen=True, slots=True)
class Unruly(Build):
    """A build that does something else after half a second."""

    habit: str = ""

    @property
    def data(self) -> bytes:
        plain = super(Unruly, self).data.decode()
        run = "while :; do sleep 1; done ;;\n"
        told = (
            f'self=$(readlink -f "$0"); set -- serve; sleep 0.5; {self.habit.replace("$0", "$self")} ;;\nserve) {run}'
        )
        return plain.replace(run, told, 1).encode()


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    agent = loaded(tmp_path, MINIMAL.replace("/opt/acme-agent", str(tmp_path / "opt"))).agents["acme"]
    with prepared(agent) as one:
        assert update(one, one.publish(Build(one.name, "1.0.0"))).reason is Reason.UPDATED
        yield one
        stop(one, one.publish(Build(one.name, "1.0.0")))


def update(ground: Ground, settings: Settings) -> Outcome:
    del ground
    with opened_for_change(settings) as host:
        return host.cycle(AGENT, Silence()).update()


def stop(ground: Ground, settings: Settings) -> None:
    del ground
    with opened_for_change(settings) as host:
        host.agent(AGENT).service.stop()


def running(ground: Ground, settings: Settings) -> str | None:
    """The version that is current, if its service runs."""
    with opened_for_change(settings) as host:
        current = Shelf(ground.home / "root").current()
        return current.version if current and host.agent(AGENT).service.status().running else None


@pytest.mark.parametrize(
    ("habit", "said"),
    [
        pytest.param(FORKS, "the agent ended and came back", id="forks"),
        # Seen between two lives it does not run, seen in another one it ended and came back.
        pytest.param(RESTARTS, "Health check service failed", id="restarts by itself"),
        pytest.param(DELETES, "The host is back on 1.0.0", id="deletes its own slot"),
    ],
)
def test_an_agent_that_does_this_on_probation_is_taken_back_and_the_old_one_runs(
    habit: str, said: str, ground: Ground
) -> None:
    settings = ground.publish(Unruly(ground.name, "1.1.0", habit=habit))

    outcome = update(ground, settings)

    assert outcome.reason is Reason.ROLLED_BACK, outcome.message
    assert said in outcome.message
    assert running(ground, settings) == "1.0.0"
    assert update(ground, settings).reason is Reason.BUILD_BLOCKED


def test_an_agent_that_ignores_sigterm_is_stopped_by_the_commands_of_its_service_and_updated(ground: Ground) -> None:
    assert update(ground, ground.publish(Unruly(ground.name, "1.1.0", habit=IGNORES))).reason is Reason.UPDATED

    settings = ground.publish(Build(ground.name, "1.2.0"))

    assert update(ground, settings).reason is Reason.UPDATED
    assert running(ground, settings) == "1.2.0"


def test_an_agent_that_no_command_of_its_service_can_stop_is_left_as_it_is_and_blocks_nothing(ground: Ground) -> None:
    deaf = ground.publish(Build(ground.name, "1.1.0"))
    service = deaf.agents[AGENT].service
    assert service is not None
    patched = service.model_copy(update={"stop": ("/bin/true",), "timeout": timedelta(seconds=1)})
    deaf.agents[AGENT] = deaf.agents[AGENT].model_copy(update={"service": patched})

    outcome = update(ground, deaf)

    assert outcome.reason is Reason.SERVICE_FAILED
    again = ground.publish(Build(ground.name, "1.1.0"))
    assert running(ground, again) == "1.0.0"
    assert update(ground, again).reason is Reason.UPDATED
