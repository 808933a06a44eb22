"""Trust is a type: what mypy and one look over the sources hold."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pawld

SOURCES = Path(pawld.__file__).parent

PASSES_UNCHECKED = """
from pawld.ports import Downloaded, Installer, Progress

def install(installer: Installer, downloaded: Downloaded, progress: Progress) -> None:
    installer.stage(downloaded, progress)
"""
PASSES_A_PATCH = """
from pawld.ports import Installer, Progress, VerifiedPatch

def install(installer: Installer, patch: VerifiedPatch, progress: Progress) -> None:
    installer.stage(patch, progress)
"""
MAKES_ONE = """
from pawld.ports import Verified

proven = Verified()
"""
PASSES_CHECKED = """
from pawld.ports import Installer, Progress, Verified

def install(installer: Installer, verified: Verified, progress: Progress) -> None:
    installer.stage(verified, progress)
"""


def mypy(snippet: str, directory: Path) -> str:
    file = directory / "snippet.py"
    file.write_text(snippet)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", str(file)]
    environment = {"MYPYPATH": str(SOURCES.parent), "PATH": "", "MYPY_CACHE_DIR": str(directory / "cache")}
    return subprocess.run(
        [*command, "--follow-imports=silent"], capture_output=True, text=True, check=False, env=environment
    ).stdout


@pytest.mark.parametrize(
    ("snippet", "complaint"),
    [
        (PASSES_UNCHECKED, 'incompatible type "Downloaded"; expected "Verified"'),
        (PASSES_A_PATCH, 'incompatible type "VerifiedPatch"; expected "Verified"'),
        (MAKES_ONE, "abstract class"),
    ],
)
def test_mypy_refuses_an_unchecked_download_and_a_verified_of_ones_own(
    snippet: str, complaint: str, tmp_path: Path
) -> None:
    assert complaint in mypy(snippet, tmp_path)


def test_mypy_accepts_what_was_proven(tmp_path: Path) -> None:
    assert mypy(PASSES_CHECKED, tmp_path) == ""


def test_only_the_policy_makes_a_verified() -> None:
    makers = {
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any("Verified" in ast.unparse(base) for base in node.bases)
    }

    assert makers == {str(Path("trust/policy.py"))}
