"""The README's way without TUF: the trusted comment that it has signed is one that pawld reads."""

import re
from pathlib import Path

from pawld.formats.trusted_comment import read_trusted_comment

README = Path(__file__).parents[2] / "README.md"


def test_the_comment_that_it_signs_binds() -> None:
    section = README.read_text(encoding="utf-8").partition("\n**Without TUF**")[2].partition("\n## ")[0]
    (comment,) = re.findall(r'minisign .* -t "(.*)"', section)
    read = read_trusted_comment(comment)
    assert (read.product, read.version, read.channel, read.serial) == ("acme", "1.8.3", "stable", 7)
