"""Debian's nginx on loopback: metadata and a 302 as the vendor has it, the bytes behind it, at full speed or slow.

``/KIND/v2`` is a vendor's interface for one payload; ``/slow/KIND/v2`` is the same over a 100 Mbit/s link.
``/hop/PATH`` redirects whoever knows no vendor to ``/PATH``.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.payloads import VERSION, sha256
from support.nginx_site import nginx_site

SLOW = "12500k"  # bytes a second: 100 Mbit/s

_SERVER = """
        gzip off;
        types {{}} default_type application/octet-stream;
        location /slow/ {{ alias {root}/; limit_rate {slow}; }}
        location ~ ^/(?<pace>slow/)?hop/(?<rest>.*)$ {{ return 302 $scheme://$http_host/$pace$rest; }}
        {places}
"""
_PLACE = """
        location = {at}/v2/agent-releases/latest {{ default_type application/json; return 200 '{document}'; }}
        location = {at}/v2/agent-releases/{version} {{ default_type application/json; return 200 '{document}'; }}
        location = {at}/v2/agent-releases/{version}/download {{ return 302 $scheme://$http_host{file}; }}
"""


@contextmanager
def served(root: Path, run: Path, payloads: Mapping[str, Path]) -> Iterator[str]:
    """Serve *root*, in which ``/builds/NAME`` are the payloads' bytes; yield the site's URL."""
    run.mkdir(parents=True, exist_ok=True)
    (root / "builds").mkdir(parents=True, exist_ok=True)
    for path in payloads.values():
        link = root / "builds" / path.name
        link.unlink(missing_ok=True)
        os.link(path, link)
    places = "".join(_places(kind, path) for kind, path in payloads.items())
    with nginx_site(root, run, locations=_SERVER.format(root=root, slow=SLOW, places=places)) as url:
        yield url


def _places(kind: str, path: Path) -> str:
    artifact = {"filename": path.name, "sha256": sha256(path), "size_bytes": path.stat().st_size}
    document = json.dumps({"version": VERSION, "artifacts": {"linux": {"x86_64": artifact}}})
    return "".join(
        _PLACE.format(at=f"{prefix}/{kind}", version=VERSION, document=document, file=f"{prefix}/builds/{path.name}")
        for prefix in ("", "/slow")
    )
