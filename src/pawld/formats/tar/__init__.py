"""The headers of a tar archive, read strictly: what is not understood is refused."""

from pawld.formats.tar.header import BLOCK, ZEROS, Header, read_header
from pawld.formats.tar.pax import EXTENSIONS, MAX_EXTENSION, Extensions

__all__ = ["BLOCK", "EXTENSIONS", "MAX_EXTENSION", "ZEROS", "Extensions", "Header", "read_header"]
