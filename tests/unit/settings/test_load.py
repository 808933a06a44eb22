# ruff: noqa: E501 - what a file says, and what is said of it, stays in one piece

import os
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.configuration import MINIMAL, loaded, written

from pawld.errors import OperatorError
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.settings import Agent, Settings, load
from pawld.settings.gates import BusyGate, CodeartsRunGate, WindowGate
from pawld.settings.health import Health
from pawld.settings.install import CommandService, SystemdService
from pawld.settings.pins import FixedPin, HawkbitPin, PrefactorPin
from pawld.settings.sources import CodeartsSource, KeyAuth, PasswordAuth, ScalepadSource, TokenAuth
from pawld.settings.trust import ChecksumsTrust, ManifestTrust, PinnedTrust, TufTrust

ID = "6ba9a2dbc7024c22a9a6614516dc22db"
KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
DESIGN = """
[updater]
state_dir = "/var/lib/pawld"
check_every = "1h"
mirrors = ["http://127.0.0.1:4001"]
proxy = "http://proxy.example:3128"
ca_file = "/etc/pawld/corporate-ca.pem"
rate_limit = "2MiB/s"
[agents.acme]
root = "/opt/acme-agent"
channel = "stable"
[agents.acme.source]
type = "scalepad"
base_url = "https://api.example.com/v2"
token_file = "/etc/pawld/acme.token"
[agents.acme.pin]
type = "prefactor"
deployment_id = "013xrzp12g3nqk8ns6jadrqmpgrjkeny"
token_file = "/etc/pawld/prefactor.token"
[agents.acme.trust]
type = "tuf"
metadata_url = "https://updates.example.com/metadata"
root_file = "/etc/pawld/acme.root.json"
[agents.acme.install]
type = "directory"
qualify = ["{slot}/bin/acme", "--version"]
keep = 2
[agents.acme.service]
type = "systemd"
unit = "acme-agent.service"
[agents.acme.health]
probation = "2m"
checks = [
  { type = "service" },
  { type = "command", command = ["{current}/bin/acme", "health"], every = "10s" },
  { type = "http", url = "http://127.0.0.1:8125/health" },
  { type = "version", command = ["{current}/bin/acme", "--version"] },
]
[[agents.acme.gates]]
type = "window"
days = ["mon", "tue", "wed", "thu"]
from = "02:00"
to = "05:00"
timezone = "UTC"
max_deferral = "14d"
"""


def with_tables(text: str) -> str:
    """A configuration of one agent ``a`` with these tables instead of the minimal ones."""
    return f'[agents.a]\nroot = "/opt/a"\n{text}'


TUF = '[agents.a.trust]\ntype = "tuf"\nmetadata_url = "https://u.example.com/m"\nroot_file = "/etc/pawld/r.json"\n'
SCALEPAD = '[agents.a.source]\ntype = "scalepad"\nbase_url = "https://api.example.com/v2"\n'
AUTH = 'auth = { type = "token", token_env = "HUAWEI_TOKEN" }\n'
CODEARTS = (
    f'[agents.a.source]\ntype = "codearts"\nbase_url = "https://pipeline.example.com"\nproject_id = "{ID}"\n'
    f'pipeline_id = "{ID}"\npipeline_run_id = "{ID}"\njob_run_id = "{ID}"\n'
    f'arch_names = {{ x86_64 = "x86_64", arm64 = "aarch64" }}\n'
)


def test_the_example_of_the_documentation_says_what_it_says(tmp_path: Path) -> None:
    settings = loaded(tmp_path, DESIGN)
    agent = settings.agents["acme"]

    assert settings.updater.state_dir == Path("/var/lib/pawld")
    assert settings.updater.check_every == timedelta(hours=1)
    assert settings.updater.rate_limit == 2 << 20
    assert isinstance(agent.source, ScalepadSource)
    assert agent.source.token.describe() == "the file /etc/pawld/acme.token"
    assert isinstance(agent.pin, PrefactorPin)
    assert isinstance(agent.trust, TufTrust)
    assert agent.install.qualify == ("{slot}/bin/acme", "--version")
    assert isinstance(agent.service, SystemdService)
    assert [check.type for check in agent.health.checks] == ["service", "command", "http", "version"]
    assert isinstance(agent.gates[0], WindowGate)
    assert (agent.gates[0].opens, agent.gates[0].closes) == (time(2), time(5))
    assert agent.product == "acme"


def test_what_is_not_written_has_a_sensible_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MINIMAL)
    agent = settings.agents["acme"]

    assert agent.channel == "stable"
    assert agent.install.type == "directory"
    assert agent.install.keep == 2
    assert agent.health.probation == timedelta(minutes=2)
    assert agent.service is None
    assert agent.pin is None
    assert agent.gates == ()
    assert settings.staleness("acme") == timedelta(days=3)


def test_an_agent_may_have_a_staleness_of_its_own(tmp_path: Path) -> None:
    text = MINIMAL.replace('root = "/opt', 'max_staleness = "1h"\nroot = "/opt')
    assert loaded(tmp_path, text).staleness("acme") == timedelta(hours=1)


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ('{ type = "token", token_file = "/etc/t" }', TokenAuth),
        ('{ type = "token", token_command = ["vault", "read"] }', TokenAuth),
        ('{ type = "aksk", access_key_file = "/a", secret_key_env = "SK" }', KeyAuth),
        ('{ type = "aksk", access_key_file = "/a", secret_key_env = "SK", security_token_env = "ST" }', KeyAuth),
        (
            (
                '{ type = "password", iam_url = "https://iam.example.com", domain = "d", user = "u", project = "p", '
                'password_credential = "iam" }'
            ),
            PasswordAuth,
        ),
    ],
)
def test_codearts_signs_in_in_three_ways(tmp_path: Path, auth: str, kind: Any) -> None:
    settings = loaded(tmp_path, with_tables(f"{CODEARTS}auth = {auth}\n{TUF}"))
    source = settings.agents["a"].source
    assert isinstance(source, CodeartsSource)
    assert isinstance(source.auth, kind)
    assert source.arch_names["arm64"] == "aarch64"


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (
            f'type = "signed_manifest"\nmanifest_url = "https://e.com/{{channel}}.json"\npublic_keys = ["{KEY}"]',
            ManifestTrust,
        ),
        (
            (
                f'type = "signed_checksums"\nproduct = "acme"\npublic_keys = ["{KEY}"]\nthreshold = 1\nmax_age = "30d"\n'
                'checksums_url = "https://e.com/{version}/SHA256SUMS"\n'
                'signature_url = "https://e.com/{version}/SHA256SUMS.minisig"'
            ),
            ChecksumsTrust,
        ),
        (f'type = "pinned_sha256"\nsha256 = {{ "linux-x86_64" = "{"a" * 64}" }}', PinnedTrust),
        ('type = "tuf"\nmetadata_url = "https://e.com/m"\nroot_env = "ROOT"\ntarget = "a/b/c"', TufTrust),
    ],
)
def test_there_are_four_engines_of_trust(tmp_path: Path, table: str, kind: Any) -> None:
    settings = loaded(tmp_path, with_tables(f"{SCALEPAD}[agents.a.trust]\n{table}\n"))
    assert isinstance(settings.agents["a"].trust, kind)


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ('type = "fixed"\nversion = "1.8.3"\nallow_downgrade = true', FixedPin),
        ('type = "hawkbit"\nbase_url = "https://h.example.com"\ntoken_env = "T"', HawkbitPin),
        (
            (
                'type = "prefactor"\nagent_version_id = "013xrzp12g3nqk8ns6jadrqmpgrjkeny"\ntoken_env = "T"\n'
                'base_url = "https://app.prefactorai.com"\nallow_ambiguous = true'
            ),
            PrefactorPin,
        ),
    ],
)
def test_there_are_three_pins(tmp_path: Path, table: str, kind: Any) -> None:
    settings = loaded(tmp_path, with_tables(f"{SCALEPAD}{TUF}[agents.a.pin]\n{table}\n"))
    assert isinstance(settings.agents["a"].pin, kind)


@pytest.mark.parametrize(
    "table",
    [
        'type = "busy"\ncommand = ["/usr/bin/idle"]',
        'type = "busy"\nlock_file = "/run/acme.lock"',
        'type = "busy"\nport = 22',
        (
            f'type = "codearts_run"\nbase_url = "https://p.example.com"\nproject_id = "{ID}"\n{AUTH}'
            f'runs = [{{ pipeline_id = "{ID}", pipeline_run_id = "{ID}" }}]'
        ),
        f'type = "codearts_pool"\nbase_url = "https://c.example.com"\ntask_id = "{ID}"\n{AUTH}pool_id = "7"\npool_type = "LINUX"',
        'type = "fleet_lock"\nbase_url = "https://lock.example.com"\ngroup = "default"',
        'type = "etcd_lock"\nendpoints = ["http://127.0.0.1:2379"]\nuser = "u"\npassword_env = "P"\nslots = 3',
        'type = "power"',
    ],
)
def test_each_kind_of_gate_is_understood(tmp_path: Path, table: str) -> None:
    settings = loaded(tmp_path, with_tables(f"{SCALEPAD}{TUF}[[agents.a.gates]]\n{table}\n"))
    (gate,) = settings.agents["a"].gates
    assert f'type = "{gate.type}"' in table
    assert gate.max_deferral == timedelta(days=14)


def test_gates_keep_their_order_and_their_kinds(tmp_path: Path) -> None:
    gates = f'[[agents.a.gates]]\ntype = "busy"\nport = 22\n[[agents.a.gates]]\ntype = "codearts_run"\nbase_url = "https://p.e"\nproject_id = "{ID}"\n{AUTH}runs = [{{ pipeline_id = "{ID}" }}]\n'
    settings = loaded(tmp_path, with_tables(f"{SCALEPAD}{TUF}{gates}"))
    assert [type(gate) for gate in settings.agents["a"].gates] == [BusyGate, CodeartsRunGate]


@pytest.mark.parametrize("kind", ["file", "msi", "pkg", "deb", "rpm"])
def test_each_kind_of_install_is_understood(tmp_path: Path, kind: Any) -> None:
    settings = loaded(tmp_path, with_tables(f'{SCALEPAD}{TUF}[agents.a.install]\ntype = "{kind}"\n'))
    assert settings.agents["a"].install.type == kind


@pytest.mark.parametrize(
    "table",
    [
        'type = "launchd"\nlabel = "com.example.acme"',
        'type = "windows"\nname = "AcmeAgent"',
        'type = "command"\nstart = ["/bin/a"]\nstop = ["/bin/b"]\nis_running = ["/bin/c"]',
    ],
)
def test_each_kind_of_service_is_understood(tmp_path: Path, table: str) -> None:
    settings = loaded(tmp_path, with_tables(f"{SCALEPAD}{TUF}[agents.a.service]\n{table}\n"))
    service = settings.agents["a"].service
    assert f'type = "{service.type}"' in table
    if isinstance(service, CommandService):
        assert service.is_running == ("/bin/c",)


def test_a_platform_can_be_overridden(tmp_path: Path) -> None:
    settings = loaded(tmp_path, with_tables(f'{SCALEPAD}{TUF}[agents.a.platform]\nos = "macos"\narch = "arm64"\n'))
    assert settings.agents["a"].platform.platform() == Platform("macos", "arm64")


def test_several_agents_live_in_one_file(tmp_path: Path) -> None:
    other = MINIMAL.replace("agents.acme", "agents.other").replace("/opt/acme-agent", "/opt/other")
    settings = loaded(tmp_path, MINIMAL + other)
    assert list(settings.agents) == ["acme", "other"]


def test_without_a_file_the_reason_names_the_place_where_it_was_expected(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        load(tmp_path / "none.toml", {})
    assert caught.value.reason is Reason.CONFIG_MISSING
    assert str(tmp_path / "none.toml") in caught.value.message


def test_the_file_can_be_named_by_a_variable(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL, "other.toml")
    assert load(None, {"PAWLD_CONFIG": str(file)}).agents["acme"]


def test_text_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"pawld.toml is not TOML: .*line 2") as caught:
        loaded(tmp_path, "[updater]\ncheck_every = 1h\n")
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_text_that_is_not_utf_8_is_named_with_its_byte(tmp_path: Path) -> None:
    file = tmp_path / "pawld.toml"
    file.write_bytes(b"# caf\xe9\n")
    with pytest.raises(OperatorError, match=r"pawld.toml is not UTF-8 text, at byte 6\.") as caught:
        load(file, {})
    assert caught.value.reason is Reason.CONFIG_INVALID


@pytest.mark.parametrize("data", [b"\xff\xfe", b"#" * (1024 * 1024 + 1)])
def test_a_file_of_other_bytes_is_refused(tmp_path: Path, data: Any) -> None:
    file = tmp_path / "pawld.toml"
    file.write_bytes(data)
    with pytest.raises(OperatorError) as caught:
        load(file, {})
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_directory_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read") as caught:
        load(tmp_path, {})
    assert caught.value.reason is Reason.CONFIG_INVALID


@pytest.mark.skipif(not hasattr(os, "seteuid") or os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_file_that_may_not_be_read_asks_for_the_privilege(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL)
    file.chmod(0o600)
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:-2]:
        parent.chmod(parent.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        with pytest.raises(OperatorError) as caught:
            load(file, {})
    finally:
        os.seteuid(0)
    assert caught.value.reason is Reason.PERMISSION_DENIED


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MINIMAL)
    assert isinstance(settings, Settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.agents["acme"].channel = "beta"


def test_tables_that_are_valid_already_are_taken_as_they_are(tmp_path: Path) -> None:
    agent = loaded(tmp_path, MINIMAL).agents["acme"]
    made = Agent(root=agent.root, source=agent.source, trust=agent.trust, health=Health(probation=timedelta(minutes=3)))
    assert made.source is agent.source
    assert made.health.probation == timedelta(minutes=3)


@pytest.mark.skipif(os.name == "nt", reason="the mode says nothing there")
def test_a_file_that_anybody_may_change_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL)
    file.chmod(0o646)
    with pytest.raises(OperatorError, match="may be changed by any user") as caught:
        load(file, {})
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_metrics_are_served_on_loopback(tmp_path: Path) -> None:
    assert loaded(tmp_path, MINIMAL + '[report]\nmetrics_listen = "[::1]:9469"\n').report.metrics_listen == "[::1]:9469"
