"""Real Debian and RPM packages of a small agent, built in a moment; needs the rigs ``dpkg`` and ``rpm``."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from support.verified import ProvenBytes, build


def deb(
    place: Path,
    version: str,
    *,
    files: Mapping[str, str],
    scripts: Mapping[str, str] | None = None,
    name: str = "acme",
    arch: str = "amd64",
    fields: str = "",
) -> bytes:
    """Return a package with *files* (by their absolute paths) and maintainer *scripts*."""
    tree = place / f"deb-{name}-{version}-{arch}"
    shutil.rmtree(tree, ignore_errors=True)
    control = tree / "DEBIAN"
    control.mkdir(parents=True)
    (control / "control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: A <a@example.com>\n"
        f"Description: an agent\n{fields}"
    )
    for script, body in (scripts or {}).items():
        (control / script).write_text(f"#!/bin/sh\n{body}\n")
        (control / script).chmod(0o755)
    conffiles = [path for path in files if path.endswith(".conf")]
    (control / "conffiles").write_text("".join(f"{path}\n" for path in conffiles))
    for path, text in files.items():
        target = tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    made = tree.with_suffix(".deb")
    subprocess.run(
        ["dpkg-deb", "-Znone", "--root-owner-group", "--build", str(tree), str(made)], check=True, capture_output=True
    )
    return made.read_bytes()


def rpm(
    place: Path,
    version: str,
    *,
    files: Mapping[str, str],
    scripts: Mapping[str, str] | None = None,
    name: str = "acme",
    arch: str = "x86_64",
    fields: str = "",
) -> bytes:
    """Return a package of release 1; *scripts* by their section, ``post`` for example."""
    top = place / f"rpm-{name}-{version}-{arch}"
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    install = "".join(
        f"mkdir -p %{{buildroot}}{Path(path).parent}\nprintf %%s '{text}' > %{{buildroot}}{path}\n"
        for path, text in files.items()
    )
    listed = "".join(f"{'%config(noreplace) ' if path.endswith('.conf') else ''}{path}\n" for path in files)
    sections = "".join(f"%{section} -p /bin/sh\n{body}\n" for section, body in (scripts or {}).items())
    spec = top / "acme.spec"
    spec.write_text(
        f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: an agent\nLicense: none\nAutoReqProv: no\n{fields}"
        f"%description\nan agent\n%install\n{install}{sections}%files\n{listed}"
    )
    macros = (f"_topdir {top}", "_binary_payload w.ufdio", "_build_id_links none", "__os_install_post %{nil}")
    defined = [word for macro in macros for word in ("--define", macro)]
    subprocess.run(["rpmbuild", "-bb", f"--target={arch}", *defined, str(spec)], check=True, capture_output=True)
    return next(top.glob("RPMS/*/*.rpm")).read_bytes()


def proven(data: bytes, version: str, form: str, *, sequence: int = 1) -> ProvenBytes:
    """Return the package as a proven build."""
    return build(data, version, sequence=sequence, form=form)
