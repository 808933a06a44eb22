"""The children behind walls, as they are seen from outside."""

from pathlib import Path

HTTP, ARCHIVE = "pawld.system.http.behind_walls", "pawld.install.archive.behind_walls"


def children(parent: int | None = None) -> dict[int, str]:
    """Return every child behind walls, or those of one parent, with the module that it runs."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            stat = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        module = next((word.decode() for word in words if word.endswith(b".behind_walls")), None)
        if module and stat[0] != "Z" and parent in (None, int(stat[1])):
            found[int(place.name)] = module
    return found
