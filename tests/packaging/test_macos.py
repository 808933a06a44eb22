"""The recipe of the macOS package, as far as another system can show it: its tools write down what they were given."""

import os
import plistlib
import subprocess
from pathlib import Path

import pytest

from pawld.service.registration import Style
from pawld.service.registration_launchd import LABEL, LaunchdRegistration

MACOS = Path(__file__).parents[2] / "packaging/macos"
SCRIPTS = [MACOS / "build.sh", MACOS / "scripts/preinstall", MACOS / "scripts/postinstall"]
RECORDING = """#!/bin/sh
echo "$(basename "$0") $*" >> "$RECORD"
for last; do :; done
case "$(basename "$0")" in
  pkgbuild) cp -R "$2" "$RECORD.root"; cp -R "$4" "$RECORD.scripts"; touch "$last" ;;
  productbuild) touch "$last" ;;
esac
"""


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    place = tmp_path / "bin"
    place.mkdir()
    for name in ("pkgbuild", "productbuild"):
        (place / name).write_text(RECORDING)
        (place / name).chmod(0o755)
    return {**os.environ, "PATH": f"{place}:{os.environ['PATH']}", "RECORD": str(tmp_path / "told")}


def built(tmp_path: Path, environment: dict[str, str]) -> list[str]:
    frozen = tmp_path / "frozen"
    (frozen / "_internal").mkdir(parents=True)
    (frozen / "pawld").write_text("#!/bin/sh\n")
    (frozen / "pawld").chmod(0o755)
    words = [str(MACOS / "build.sh"), str(frozen), str(tmp_path / "out"), "0.1.0"]
    subprocess.run(words, check=True, env=environment, capture_output=True)
    return (tmp_path / "told").read_text().splitlines()


def test_the_payload_is_the_program_its_link_and_its_job(tmp_path: Path, tools: dict[str, str]) -> None:
    told = built(tmp_path, tools)
    root = tmp_path / "told.root"
    assert (root / "usr/local/bin/pawld").resolve() == (root / "usr/local/lib/pawld/pawld").resolve()
    assert (root / f"Library/LaunchDaemons/{LABEL}.plist").stat().st_mode & 0o777 == 0o644
    assert not (root / "Library/Application Support").exists(), "the configuration is the administrator's"
    assert sorted(path.name for path in (tmp_path / "told.scripts").iterdir()) == ["postinstall", "preinstall"]
    assert [line.split()[0] for line in told] == ["pkgbuild", "productbuild"]
    assert "--install-location / --ownership recommended" in told[0]
    assert "--sign" not in told[1]
    assert (tmp_path / "out/pawld-0.1.0.pkg").exists()


def test_it_is_signed_where_an_identity_is_named(tmp_path: Path, tools: dict[str, str]) -> None:
    told = built(tmp_path, tools | {"SIGN": "Developer ID Installer: Example"})
    assert "--sign Developer ID Installer: Example --timestamp" in told[1]


def test_the_job_is_the_one_that_service_install_writes() -> None:
    job = LaunchdRegistration(Path("/usr/local/bin/pawld"))._job(Style.DAEMON)
    assert plistlib.loads((MACOS / f"{LABEL}.plist").read_bytes()) == job


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_executable_and_a_shell_can_read_it(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True)


def answered(tmp_path: Path, disabled: str) -> list[str]:
    launchctl = tmp_path / "launchctl"
    launchctl.write_text(
        f'#!/bin/sh\necho "$*" >> "{tmp_path}/told"\ncase "$1" in print-disabled) echo \'{disabled}\' ;; esac\n'
    )
    launchctl.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([str(SCRIPTS[2])], check=True, env=environment)
    return (tmp_path / "told").read_text().splitlines()


def test_the_job_is_loaded_after_the_installation(tmp_path: Path) -> None:
    assert answered(tmp_path, "")[-1] == f"bootstrap system /Library/LaunchDaemons/{LABEL}.plist"


@pytest.mark.parametrize("word", ["true", "disabled"], ids=["before macOS 13", "since"])
def test_what_an_administrator_disabled_stays_so(tmp_path: Path, word: str) -> None:
    assert answered(tmp_path, f'\t"{LABEL}" => {word}') == ["print-disabled system"]
