"""What the README shows is true: its examples load, its commands exist, and the files that it names are there."""

import re
from pathlib import Path

import pytest

from pawld.cli.arguments import COMMANDS
from pawld.reasons import Exit
from pawld.settings import load

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_configuration_in_the_readme_loads(example: str, tmp_path: Path) -> None:
    config = tmp_path / "pawld.toml"
    config.write_text(example)
    config.chmod(0o600)

    assert load(config, {}).agents


def test_every_command_in_the_readme_exists() -> None:
    table = README.partition("\n| command | does |\n")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `([a-z]+)[ `]", table, re.MULTILINE)) | set(re.findall(r"`pawld ([a-z]+)", README))

    assert named <= set(COMMANDS)


def test_every_exit_code_is_told() -> None:
    assert all(f"{code.value} " in README for code in Exit)


def test_every_file_that_the_readme_names_is_there() -> None:
    named = re.findall(r"(?<![\w/])(?:tests|src|packaging|systemd|\.ci)/[A-Za-z0-9_./-]*[A-Za-z0-9_-]", README)

    assert not [one for one in named if not (ROOT / one).exists()]
