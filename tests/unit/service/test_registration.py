"""pawld's own units are written as this host needs them, and nobody else's are touched."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pawld.errors import OperatorError, TransientError
from pawld.reasons import Reason
from pawld.service.registration import OURS, Style, SystemdRegistration
from pawld.system.process import Finished
from pawld.wiring.registration import units_directory


class Manager:
    """Writes down what systemctl was told; answers as a test says."""

    def __init__(self, code: int | None = 0, output: str = "") -> None:
        self.told: list[str] = []
        self.code, self.output = code, output

    def __call__(self, command: Sequence[str]) -> Finished:
        self.told.append(" ".join(word for word in command[1:] if word != "--no-ask-password"))
        return Finished(tuple(command), self.code, self.output, "", ran=self.code is not None)


@pytest.fixture
def registration(tmp_path: Path) -> SystemdRegistration:
    program = tmp_path / "pawld"
    program.touch()
    (tmp_path / "etc").mkdir()
    return SystemdRegistration(
        units_directory(), program, administrators=tmp_path / "etc", packages=tmp_path / "usr", run=Manager()
    )


def told(registration: SystemdRegistration) -> list[str]:
    assert isinstance(registration.run, Manager)
    return registration.run.told


def test_a_daemon_is_written_enabled_and_started(registration: SystemdRegistration) -> None:
    registration.install(Style.DAEMON)
    unit = (registration.administrators / "pawld.service").read_text()
    assert unit.startswith(OURS)
    assert f"ExecStart={registration.program} run\n" in unit
    assert told(registration) == [
        str(units_directory() / "pawld.sysusers"),
        "daemon-reload",
        "enable pawld-recover.service",
        "enable pawld.service",
        "restart pawld.service",
    ]


def test_a_configuration_elsewhere_is_named_in_the_unit(registration: SystemdRegistration) -> None:
    replace(registration, config=Path("/srv/pawld.toml")).install(Style.TIMER)
    unit = (registration.administrators / "pawld-once.service").read_text()
    assert f"ExecStart={registration.program} --config /srv/pawld.toml cycle\n" in unit
    assert told(registration)[-1] == "enable --now pawld.timer"


def test_a_program_that_is_to_install_itself_is_not_started_yet(registration: SystemdRegistration) -> None:
    registration.program.unlink()
    registration.install(Style.DAEMON)
    assert told(registration)[-1] == "enable pawld.service"


def test_units_of_a_package_stay_the_packages_and_get_a_drop_in(registration: SystemdRegistration) -> None:
    registration.packages.mkdir()
    (registration.packages / "pawld.service").write_text("[Service]\n")
    replace(registration, walls=("ReadWritePaths=-/usr/local/acme",)).install(Style.DAEMON)
    assert not (registration.administrators / "pawld.service").exists()
    drop_in = registration.administrators / "pawld.service.d" / "10-host.conf"
    assert drop_in.read_text() == f"{OURS}[Service]\nReadWritePaths=-/usr/local/acme\n"
    registration.install(Style.DAEMON)
    assert not drop_in.exists(), "walls that are no longer needed are closed again"


def test_taking_it_away_leaves_what_others_wrote(registration: SystemdRegistration) -> None:
    replace(registration, walls=("PrivateTmp=no",)).install(Style.TIMER)
    mine = registration.administrators / "pawld-recover.service"
    mine.write_text("[Service]\n# an administrator's own\n")
    registration.uninstall()
    assert [path.name for path in registration.administrators.iterdir()] == [mine.name]


def test_it_is_stopped_and_started_again(registration: SystemdRegistration) -> None:
    registration.stop()
    registration.start()
    assert told(registration) == ["stop --no-block pawld.timer pawld-once.service pawld.service", "start pawld.service"]


def test_its_status_is_what_systemd_says(registration: SystemdRegistration) -> None:
    seen = replace(registration, run=Manager(output="ActiveState=active\nUnitFileState=enabled\nStatusText=idle\n"))
    status = seen.status()
    assert (status.enabled, status.running, status.text) == (True, True, "idle")


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [(1, TransientError, Reason.SERVICE_FAILED), (None, OperatorError, Reason.CONFIG_INVALID)],
)
def test_a_refusal_is_told_in_a_sentence(
    registration: SystemdRegistration, code: int | None, error: type[Exception], reason: Reason
) -> None:
    with pytest.raises(error, match="systemd") as raised:
        replace(registration, run=Manager(code)).install(Style.DAEMON)
    assert raised.value.reason is reason  # type: ignore[attr-defined]  # both are PawldErrors


def test_a_host_where_systemd_does_not_run_is_told_what_to_do_instead(registration: SystemdRegistration) -> None:
    def container(command: Sequence[str]) -> Finished:
        return Finished(tuple(command), 1, "", "Failed to connect to bus: Host is down\n")

    with pytest.raises(OperatorError, match=r"does not run here \(Failed to connect to bus.*`pawld run`") as raised:
        replace(registration, run=container).status()
    assert raised.value.reason is Reason.CONFIG_INVALID
