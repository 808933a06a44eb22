"""The README's way without TUF: its configuration loads, and its trusted comment is one that pawld reads."""

import re
from pathlib import Path

from pawld.formats.trusted_comment import read_trusted_comment
from pawld.settings import load

README = Path(__file__).parents[3] / "README.md"


def section() -> str:
    return README.read_text().partition("\n**Without TUF**")[2].partition("\n## ")[0]


def test_the_configuration_is_whole(tmp_path: Path) -> None:
    (screen,) = re.findall(r"```toml\n(.*?)```", section(), re.DOTALL)
    file = tmp_path / "pawld.toml"
    file.write_text(screen)
    file.chmod(0o600)
    assert load(file, {}).agents["acme"].trust.type == "signed_checksums"


def test_the_comment_that_it_signs_binds() -> None:
    (comment,) = re.findall(r'minisign .* -t "(.*)"', section())
    read = read_trusted_comment(comment)
    assert (read.product, read.version, read.channel, read.serial) == ("acme", "1.8.3", "stable", 7)
