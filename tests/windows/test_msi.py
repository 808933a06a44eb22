"""pawld's own MSI, made by wixl and installed by msiexec: the service runs, is upgraded, and goes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.windows_host import Host, launcher, packed
from support.wine import WindowsPython

pytestmark = [pytest.mark.rig("wine_python"), pytest.mark.timeout(900)]

CONFIG = """
# mine
[agents.acme]
root = 'C:\\acme'
[agents.acme.source]
type = "manifest"
url = "http://127.0.0.1:9/acme.tar"
[agents.acme.trust]
type = "pinned_sha256"
version = "1.0.0"
sha256 = { "windows-x86_64" = "0000000000000000000000000000000000000000000000000000000000000000" }
"""


@pytest.fixture
def host(windows_python: WindowsPython, tmp_path: Path) -> Iterator[Host]:
    frozen = tmp_path / "frozen"
    (frozen / "_internal").mkdir(parents=True)
    (frozen / "pawld.exe").write_bytes(launcher(windows_python, tmp_path))
    for version in ("0.1.0", "0.2.0"):
        (frozen / "_internal" / f"of-{version}.txt").write_text(version)
        packed(frozen, tmp_path, version)
        (frozen / "_internal" / f"of-{version}.txt").unlink()
    made = Host(windows_python, tmp_path)
    made.config.parent.mkdir(parents=True, exist_ok=True)
    made.config.write_text(CONFIG)
    yield made
    made.stop()
    for version in ("0.2.0", "0.1.0"):
        made.remove(version)
    subprocess.run(["rm", "-rf", str(made.config.parent)], check=True)


def test_the_service_runs_after_one_command_and_the_configuration_stays_through_upgrade_and_removal(
    host: Host,
) -> None:
    assert host.install("0.1.0") == 0
    host.eventually(lambda: host.service()[0] == "4")
    _, start, before, line = host.service()
    assert (start, line.strip()) == ("2", r"C:\pawld\pawld.exe run --service")
    assert (host.program.parent / "_internal/of-0.1.0.txt").exists()

    assert host.install("0.2.0") == 0
    assert host.service()[1] == "2", "it is there, and starts at boot"
    host.restart()
    host.eventually(lambda: host.service()[0] == "4")
    assert host.service()[2] != before
    assert (host.program.parent / "_internal/of-0.2.0.txt").exists()
    assert host.config.read_text() == CONFIG

    host.stop()
    assert host.remove("0.2.0") == 0
    host.eventually(lambda: host.service() == ["none", "1060"])
    assert not host.program.exists()
    assert host.config.read_text() == CONFIG
    assert (host.config.parent / "pawld.db").exists()


@pytest.mark.long
def test_without_a_configuration_it_is_installed_all_the_same_and_waits_for_one(host: Host) -> None:
    host.config.unlink()
    assert host.install("0.1.0") == 0
    host.eventually(lambda: host.service()[0] == "4")
    assert "pawld.toml yet; it is waited for" in host.log.read_text()
    host.config.write_text(CONFIG)
    host.eventually((host.config.parent / "pawld.db").exists)
