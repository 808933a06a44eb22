"""How much an archive may unfold to.

Where the signed record states what the build holds, that is the cap, and at the end it has to be met exactly. Where it
does not, the defaults hold, with a cap on the compression ratio beside them.
"""

from enum import Enum

from pawld.formats.tar.refusal import named, refused
from pawld.model import Unpacked
from pawld.values import dataclass

__all__ = ["GiB", "KiB", "Limits", "Links", "MiB", "named", "refused"]

KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB


class Links(Enum):
    """What happens to symbolic links in an archive. Hard links are refused under either."""

    REFUSED = "refused"
    INSIDE = "inside"  # relative ones that lead to another member of the same archive, made last


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps of one unpacking.

    Attributes:
        bytes: of all regular files together.
        files: regular files.
        others: directories, links and extension headers together, since each costs an inode or time.
        ratio: most bytes that may come out for each byte that went in; None where the record states the totals.
        stated: what the signed record says the build holds; None where it does not say.
        links: what happens to symbolic links.
        decoder_memory: bytes that zstd or xz may take for its window. 20 MiB takes ``zstd -19``, ``--long=24`` and
            ``xz -7``, and keeps a whole update below 60 MB; RFC 8878 section 3.1.1.1.2 asks for 8 MiB at least.
    """

    bytes: int = 4 * GiB
    files: int = 65_536
    others: int = 65_536
    ratio: int | None = 200
    stated: Unpacked | None = None
    links: Links = Links.REFUSED
    decoder_memory: int = 20 * MiB

    @classmethod
    def of(cls, stated: Unpacked | None, links: Links = Links.REFUSED) -> "Limits":
        """Return the caps for a record that states *stated*."""
        if stated is None:
            return cls(links=links)
        return cls(bytes=stated.bytes, files=stated.files, ratio=None, stated=stated, links=links)
