"""``pawld drill``: it holds where the host is well, says what does not where it is not, and leaves nothing."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.commands import PAWLD
from support.systemd import SystemdHost

SCENES = [
    "durable writes",
    "atomic pointer",
    "first install",
    "update",
    "rollback of a sick build",
    "dead man's switch",
]
_CONFIG = """
[updater]
state_dir = "{home}/state"
[agents.acme]
root = "{home}/opt/acme"
[agents.acme.source]
type = "manifest"
url = "https://downloads.example.com/acme"
[agents.acme.trust]
type = "pinned_sha256"
version = "1.0.0"
[agents.acme.trust.sha256]
linux-x86_64 = "{zeros}"
"""
_UNIT = '[agents.acme.service]\ntype = "systemd"\nunit = "acme.service"\n'


def configured(home: Path, more: str = "") -> list[str]:
    (home / "opt").mkdir(parents=True)
    config = home / "pawld.toml"
    config.write_text(_CONFIG.format(home=home, zeros="0" * 64) + more)
    config.chmod(0o600)
    return [*PAWLD, "--config", str(config), "--json", "drill", "acme"]


def rehearsed(output: str) -> dict[str, Any]:
    document = dict(json.loads(output))
    assert "rehearsals" in document, output
    assert [one["name"] for one in document["rehearsals"]] == SCENES
    return document


def test_a_rehearsal_beside_the_agents_root_holds_and_leaves_nothing(tmp_path: Path) -> None:
    finished = subprocess.run(configured(tmp_path), capture_output=True, text=True, timeout=100, check=False)

    document = rehearsed(finished.stdout)
    assert [one for one in document["rehearsals"] if not one["held"]] == []
    assert (finished.returncode, document["held"], document["manager"]) == (0, True, "commands")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["opt", "pawld.toml"]
    assert list((tmp_path / "opt").iterdir()) == []


@pytest.mark.rig("systemd")
def test_a_rehearsal_under_a_real_systemd_holds_and_leaves_no_unit(systemd_host: SystemdHost) -> None:
    home = systemd_host.shared / "drill"
    finished = systemd_host.run(configured(home, _UNIT))

    document = rehearsed(finished.output)
    assert [one for one in document["rehearsals"] if not one["held"]] == []
    assert (finished.code, document["manager"]) == (0, "systemd")
    assert "pawld-drill" not in systemd_host.run(["systemctl", "list-units", "--all", "--no-legend"]).output
    assert list((home / "opt").iterdir()) == []


@pytest.mark.rig("mount")
def test_a_rehearsal_on_a_noexec_file_system_says_what_did_not_hold_and_cleans_up(tmp_path: Path) -> None:
    command = configured(tmp_path)
    place = tmp_path / "opt"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec,size=1g", "tmpfs", str(place)], check=True)
    try:
        finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", str(place)], check=True)

    document = rehearsed(finished.stdout)
    failed = {one["name"]: one["detail"] for one in document["rehearsals"] if not one["held"]}
    assert (finished.returncode, document["held"]) == (75, False)
    assert "Permission denied" in failed["first install"]
    assert {"durable writes", "atomic pointer"}.isdisjoint(failed)
