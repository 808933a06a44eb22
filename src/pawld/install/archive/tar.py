"""The members of a tar archive, from first to last, in one pass.

Regular files, directories and, where the policy has them, symbolic links. Everything else a tar archive can hold, hard
links, devices, fifos, sparse files, volumes, is refused, and so is anything after its end.
"""

from pawld.formats.tar import BLOCK, EXTENSIONS, MAX_EXTENSION, ZEROS, Extensions, Header, read_header
from pawld.install.archive.forward import Forward
from pawld.install.archive.limits import MiB, named, refused
from pawld.install.archive.members import Members

MAX_PADDING = MiB  # bytes of zeros after the end; GNU tar fills a record, 10 KiB unless told otherwise

_REFUSED = {
    "1": "a hard link",
    "3": "a character device",
    "4": "a block device",
    "6": "a fifo",
    "7": "a contiguous file",
    "S": "a sparse file",
    "M": "the rest of a file from another volume",
    "V": "a volume label",
    "D": "a directory dump",
}


def read_tar(stream: Forward, writer: Members) -> None:
    """Write every member of *stream*; ``RejectedError`` unless it is one whole archive and nothing else."""
    extensions = Extensions()
    while (block := stream.exactly(BLOCK)) != ZEROS:
        header = read_header(block)
        stream.member = header.name
        if header.kind in EXTENSIONS:
            writer.count_other()
            extensions.add(header, _extension(stream, header))
        else:
            _member(stream, extensions.applied(header) if extensions.pending else header, writer)
    if extensions.pending:
        raise refused("The archive ends after an extension header, without the member it speaks of.")
    stream.member = "the end mark"
    if stream.exactly(BLOCK) != ZEROS:
        raise refused("The archive has a single block of zeros between its members.")
    _check_padding(stream)


def _member(stream: Forward, header: Header, writer: Members) -> None:
    match header.kind:
        case "0":
            size = header.size
            whole = stream.held(size)
            pieces = stream.pieces(size) if whole is None else (whole,) if size else ()
            writer.file(header.name, size, header.mode, pieces)
            if size % BLOCK:
                stream.exactly(-size % BLOCK)
        case "5" | "2" if header.size:
            raise refused(f"The archive's member {named(header.name)} has content, and is no file.")
        case "5":
            writer.folder(header.name)
        case "2":
            writer.link(header.name, header.link)
        case kind:
            what = _REFUSED.get(kind, f"of the unknown type {kind!a}")
            raise refused(f"The archive's member {named(header.name)} is {what}.")


def _extension(stream: Forward, header: Header) -> bytes:
    if header.size > MAX_EXTENSION:
        raise refused(f"The archive has an extension header of {header.size} bytes.")
    content = bytes(stream.exactly(header.size))
    stream.exactly(-header.size % BLOCK)
    return content


def _check_padding(stream: Forward) -> None:
    length = 0
    for piece in stream.rest():
        length += len(piece)
        if length > MAX_PADDING or piece.tobytes().strip(b"\0"):
            raise refused("The archive is followed by something else.")
