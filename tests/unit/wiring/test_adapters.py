"""Every form that a configuration file may have is wired to the adapter that its ``type`` names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.configuration import loaded
from support.tuf_repository import TufRepository

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.wiring.host import Host, opened_for_reading

ID = "6ba9a2dbc7024c22a9a6614516dc22db"
KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
DIGEST = "0f" * 32
TOKEN = '{ type = "token", token_env = "HUAWEI" }'
KEYS = '{ type = "aksk", access_key_env = "AK", secret_key_env = "SK" }'
PASSWORD = (
    '{ type = "password", iam_url = "https://iam.example.com", domain = "d", user = "u", project = "p", '
    'password_env = "PW" }'
)
RUN = f'base_url = "https://p.example.com"\nproject_id = "{ID}"\n'
SCALEPAD = 'type = "scalepad"\nbase_url = "https://api.example.com/v2"'
CODEARTS = (
    f'type = "codearts"\n{RUN}pipeline_id = "{ID}"\npipeline_run_id = "{ID}"\njob_run_id = "{ID}"\nauth = {TOKEN}'
)
PINNED = f'type = "pinned_sha256"\nsha256 = {{ "linux-x86_64" = "{DIGEST}" }}'
TUF = 'type = "tuf"\nmetadata_url = "https://u.example.com/metadata"\nroot_file = "{home}/root.json"'
MANIFEST = f'type = "signed_manifest"\npublic_keys = ["{KEY}"]\nmanifest_url = "https://d.example.com/{{channel}}.json"'
CHECKSUMS = f'type = "signed_checksums"\npublic_keys = ["{KEY}"]\nchecksums_url = "https://d.example.com/{{version}}/S"'


@contextmanager
def wired(home: Path, *, source: str = SCALEPAD, trust: str = PINNED, more: str = "") -> Iterator[Host]:
    """Open a host with one agent, ``acme``."""
    text = (
        f'[updater]\nstate_dir = "{home}/state"\n[agents.acme]\nroot = "{home}/opt"\n'
        '[agents.acme.platform]\nos = "linux"\narch = "x86_64"\n'
        f"[agents.acme.source]\n{source}\n[agents.acme.trust]\n{trust}\n{more}"
    )
    with opened_for_reading(loaded(home, text)) as host:
        yield host


def name_of(adapter: object) -> str:
    return f"{type(adapter).__module__.removeprefix('pawld.')}.{type(adapter).__name__}"


@pytest.mark.parametrize(
    ("source", "trust", "adapter"),
    [
        (SCALEPAD, PINNED, "sources.scalepad.ScalepadSource"),
        (
            CODEARTS,
            f'{PINNED}\nversion = "1.0"',
            "sources.codearts.CodeartsSource",
        ),
        ('type = "tuf"', TUF, "sources.tuf.TufSource"),
        ('type = "tuf"\ntargets_url = "https://cdn.example.com/t"\ntoken_env = "T"', TUF, "sources.tuf.TufSource"),
        ('type = "manifest"', MANIFEST, "sources.manifest.ManifestSource"),
        (
            'type = "manifest"\nurl = "https://d.example.com/{version}/{filename}"',
            CHECKSUMS,
            "sources.manifest.ManifestSource",
        ),
    ],
    ids=["scalepad", "codearts", "tuf", "tuf with its own targets", "manifest", "a template"],
)
def test_a_source_is_what_its_type_names(tmp_path: Path, source: str, trust: str, adapter: str) -> None:
    (tmp_path / "root.json").write_bytes(TufRepository().first_root)
    with wired(tmp_path, source=source, trust=trust.replace("{home}", str(tmp_path))) as host:
        assert name_of(host.supply("acme").source) == adapter


@pytest.mark.parametrize(
    ("trust", "engine"),
    [
        (TUF, "trust.tuf.TufEngine"),
        (MANIFEST, "trust.signed_manifest.SignedManifestEngine"),
        (CHECKSUMS, "trust.signed_checksums.SignedChecksumsEngine"),
        (PINNED, "trust.pinned.PinnedEngine"),
    ],
    ids=["tuf", "signed_manifest", "signed_checksums", "pinned_sha256"],
)
def test_trust_is_one_policy_over_the_engine_that_its_type_names(tmp_path: Path, trust: str, engine: str) -> None:
    (tmp_path / "root.json").write_bytes(TufRepository().first_root)
    with wired(tmp_path, trust=trust.replace("{home}", str(tmp_path))) as host:
        policy = host.supply("acme").trust
    assert name_of(policy) == "trust.policy.Policy"
    assert [name_of(one) for one in policy._engines] == [engine]  # type: ignore[attr-defined]  # looked at from inside


def test_the_first_root_may_come_from_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust = TUF.replace('root_file = "{home}/root.json"', 'root_env = "ACME_ROOT"')
    monkeypatch.setenv("ACME_ROOT", TufRepository().first_root.decode())
    with wired(tmp_path, trust=trust) as host:
        host.supply("acme")
    monkeypatch.delenv("ACME_ROOT")
    with (
        wired(tmp_path, trust=trust) as host,
        pytest.raises(OperatorError, match="ACME_ROOT, which is not set") as raised,
    ):
        host.supply("acme")
    assert raised.value.reason is Reason.CONFIG_INVALID


@pytest.mark.parametrize(
    ("pin", "adapter"),
    [
        ('type = "fixed"\nversion = "1.8.3"', "pins.fixed.FixedPin"),
        (
            'type = "prefactor"\ndeployment_id = "013xrzp12g3nqk8ns6jadrqmpgrjkeny"\ntoken_env = "T"',
            "pins.prefactor.PrefactorPin",
        ),
    ],
    ids=["fixed", "prefactor"],
)
def test_a_pin_is_what_its_type_names(tmp_path: Path, pin: str, adapter: str) -> None:
    with wired(tmp_path, more=f"[agents.acme.pin]\n{pin}") as host:
        assert name_of(host.supply("acme").pin) == adapter


def test_without_a_pin_the_channel_is_followed_or_the_version_beside_the_digest(tmp_path: Path) -> None:
    with wired(tmp_path) as host:
        assert host.supply("acme").pin is None
    with wired(tmp_path, trust=f'{PINNED}\nversion = "1.8.3"') as host:
        assert name_of(host.supply("acme").pin) == "pins.fixed.FixedPin"


@pytest.mark.parametrize(
    ("service", "adapter"),
    [
        ('type = "systemd"\nunit = "acme.service"', "service.systemd.SystemdService"),
        ('type = "launchd"\nlabel = "com.example.acme"', "service.launchd.LaunchdService"),
        ('type = "windows"\nname = "acme"', "service.windows.WindowsService"),
        ('type = "command"\nstart = ["a"]\nstop = ["b"]\nis_running = ["c"]', "service.command.CommandService"),
    ],
    ids=["systemd", "launchd", "windows", "command"],
)
def test_a_service_is_what_its_type_names(tmp_path: Path, service: str, adapter: str) -> None:
    with wired(tmp_path, more=f"[agents.acme.service]\n{service}") as host:
        assert name_of(host.agent("acme").service) == adapter


def test_without_a_service_nothing_is_started_or_stopped(tmp_path: Path) -> None:
    with wired(tmp_path) as host:
        assert name_of(host.agent("acme").service) == "service.none.NoService"


@pytest.mark.parametrize(
    ("install", "contents"),
    [
        ('type = "directory"', "install.directory.ArchiveContents"),
        ('type = "directory"\nunsafe_allow_links = true', "install.directory.ArchiveContents"),
        ('type = "file"\nname = "acme"', "install.file.ProgramContents"),
    ],
    ids=["directory", "directory with links", "file"],
)
def test_an_installer_is_what_its_type_names(tmp_path: Path, install: str, contents: str) -> None:
    with wired(tmp_path, more=f"[agents.acme.install]\n{install}") as host:
        installer = host.agent("acme").installer
    assert name_of(installer) == "install.slots.SlotInstaller"
    assert name_of(installer._contents) == contents  # type: ignore[attr-defined]  # looked at from inside


@pytest.mark.parametrize(
    ("check", "adapter"),
    [
        ('{ type = "service" }', "health.service.ServiceCheck"),
        ('{ type = "command", command = ["a"] }', "health.command.CommandCheck"),
        ('{ type = "http", url = "http://127.0.0.1:8125/health" }', "health.http.HttpCheck"),
        ('{ type = "version", command = ["a"] }', "health.version.VersionCheck"),
    ],
    ids=["service", "command", "http", "version"],
)
def test_a_health_check_is_what_its_type_names(tmp_path: Path, check: str, adapter: str) -> None:
    service = '[agents.acme.service]\ntype = "systemd"\nunit = "acme.service"\n'
    with wired(tmp_path, more=f"{service}[agents.acme.health]\nchecks = [{check}]") as host:
        assert [name_of(one) for one in host.agent("acme").health] == [adapter]


@pytest.mark.parametrize("auth", [TOKEN, KEYS, PASSWORD], ids=["token", "aksk", "password"])
@pytest.mark.parametrize(
    ("gate", "adapter"),
    [
        (f'type = "codearts_run"\n{RUN}runs = [{{ pipeline_id = "{ID}" }}]', "gates.codearts_run.CodeartsRunGate"),
        (
            f'type = "codearts_pool"\nbase_url = "https://c.example.com"\ntask_id = "{ID}"\npool_id = "7"',
            "gates.codearts_pool.CodeartsPoolGate",
        ),
    ],
    ids=["run", "pool"],
)
def test_a_gate_of_codearts_signs_in_in_each_way(tmp_path: Path, gate: str, adapter: str, auth: str) -> None:
    with wired(tmp_path, more=f"[[agents.acme.gates]]\n{gate}\nauth = {auth}") as host:
        assert [name_of(one) for one in host.agent("acme").gates] == [adapter]


@pytest.mark.parametrize(
    ("gate", "adapter"),
    [
        ('type = "busy"\ncommand = ["who"]', "gates.busy.BusyGate"),
        ('type = "busy"\nlock_file = "/run/acme.lock"', "gates.busy.BusyGate"),
        ('type = "busy"\nport = 22', "gates.busy.BusyGate"),
        ('type = "power"\nmin_battery = 50', "gates.power.PowerGate"),
        ('type = "fleet_lock"\nbase_url = "https://l.example.com"', "gates.fleet_lock.FleetLockGate"),
        ('type = "etcd_lock"\nendpoints = ["https://e.example.com"]', "gates.etcd_lock.EtcdLockGate"),
    ],
    ids=["busy command", "busy file", "busy port", "power", "fleet_lock", "etcd_lock"],
)
def test_a_gate_is_what_its_type_names(tmp_path: Path, gate: str, adapter: str) -> None:
    with wired(tmp_path, more=f'[[agents.acme.gates]]\n{gate}\nmax_deferral = "3d"') as host:
        (one,) = host.agent("acme").gates
        assert name_of(one) == adapter
        assert one.max_deferral.days == 3


def test_windows_stand_apart_since_they_alone_are_passed_by_force(tmp_path: Path) -> None:
    window = '[[agents.acme.gates]]\ntype = "window"\nfrom = "02:00"\nto = "05:00"\n'
    with wired(tmp_path, more=f'{window}[[agents.acme.gates]]\ntype = "power"\n{window}') as host:
        agent = host.agent("acme")
    assert [one.name for one in agent.windows] == ["window-0", "window-2"]
    assert [one.name for one in agent.gates] == ["power-1"]
