"""The dead man's switch moves the pointer by a command that needs no pawld."""

import json
import subprocess
from pathlib import Path

from pawld.install.pointer import FilePointer, LinkPointer


def test_the_link_is_moved_by_a_shell_alone(tmp_path: Path) -> None:
    root = tmp_path / "it's a root"
    for name in ("1.0.0-000000000001", "1.1.0-000000000002"):
        (root / "versions" / name).mkdir(parents=True)
    pointer = LinkPointer(root)
    pointer.move("1.1.0-000000000002")

    subprocess.run(pointer.command("1.0.0-000000000001"), check=True)

    assert pointer.read() == "1.0.0-000000000001"
    assert sorted(one.name for one in root.iterdir()) == ["current", "versions"]


def test_without_gnu_mv_the_rename_is_made_otherwise(tmp_path: Path) -> None:
    pointer = LinkPointer(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mv").write_text("#!/bin/sh\nexit 64\n")
    (tmp_path / "bin" / "mv").chmod(0o755)

    command = pointer.command("1.0.0-000000000001")
    subprocess.run(command, check=True, env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"})

    assert pointer.read() == "1.0.0-000000000001"


def test_the_pointer_file_is_replaced_by_a_document_that_reads_back(tmp_path: Path) -> None:
    pointer = FilePointer(tmp_path)
    (_, _, line) = pointer.command("1.0.0-000000000001")
    document = line.removeprefix("echo ").partition(">")[0]
    pointer.path.write_text(json.dumps(json.loads(document)))

    assert pointer.read() == "1.0.0-000000000001"
