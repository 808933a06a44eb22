"""Safe extraction: from a proven stream to files below one directory, or a refusal that names the member.

The stream is proven to be what the publisher signed; this reader is for the day when the publisher was deceived, or is
the attacker. It reads strictly forward, keeps no more than its window and the names in memory, and knows no archive
feature that a build does not need. It does not sync, and does not remove what it wrote before a refusal: the slot does.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from pawld.install.archive.ahead import Ahead
from pawld.install.archive.forward import Forward
from pawld.install.archive.limits import Limits, Links, refused
from pawld.install.archive.writer import Writer, Written, unlisted
from pawld.ports import Listed, Progress
from pawld.system.faults import host_faults

__all__ = ["Limits", "Links", "Unpack", "Written", "unpack", "unpack_program"]

FORMATS = ("tar.gz", "tar.zst", "tar.xz", "zip")
Unpack = Callable[[BinaryIO, str, Path, Limits, Progress, Listed], Written]
"""What unpacks an archive, as ``unpack`` does."""


def unpack(
    stream: BinaryIO, form: str, into: Path, limits: Limits, progress: Progress, listed: Listed = unlisted
) -> Written:
    """Unpack the archive *stream*, of one of ``FORMATS``, below *into*, an empty directory of mode 0700.

    Digests are taken from what *listed* returns as soon as it is there, and of what is written until then. A zip
    archive has to be seekable; the others are read forward only. ``RejectedError`` (archive_refused) where the archive
    is not strictly well-formed, or not what *limits* allow; ``TransientError`` where the host fails.
    """
    with host_faults("Unpacking the build"), closing(Writer(into, limits, progress, listed)) as writer:
        listed()  # sent for before the first byte is read
        writer.start()
        if form == "zip":
            from pawld.install.archive.zip import read_zip  # noqa: PLC0415 - few builds need it

            read_zip(stream, writer)
        else:
            _unpack_tar(stream, form, writer)
        return writer.finish()


def unpack_program(stream: BinaryIO, name: str, into: Path, limits: Limits, progress: Progress, sha256: str) -> Written:
    """Copy a build that is a single program to the path *name* below *into*, executable; errors as above.

    *sha256* is what *stream* is proven to be, as a whole, before a slot gets its name: it is not hashed once more.
    """
    with host_faults("Copying the build"), closing(Writer(into, limits, progress)) as writer:
        writer.start()
        writer.program(name, stream, sha256)
        return writer.finish()


def _unpack_tar(stream: BinaryIO, form: str, writer: Writer) -> None:
    from pawld.install.archive.decompress import inflated  # noqa: PLC0415 - loads three decoders
    from pawld.install.archive.tar import read_tar  # noqa: PLC0415 - goes with it

    container, _, compression = form.partition(".")
    if container != "tar" or compression not in ("gz", "zst", "xz"):
        raise refused(f"There is no reader for builds in the format {form!r}.")
    with closing(Ahead(inflated(stream, compression, writer.limits))) as blocks:
        read_tar(Forward(blocks), writer)
