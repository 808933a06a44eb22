"""Opens a proven patch, and tells in pawld's words what is wrong with one that cannot be read."""

from pawld.formats.patch import PatchReader
from pawld.install.patching.engine import failed
from pawld.ports import VerifiedPatch


def read_patch(build: VerifiedPatch) -> PatchReader:
    """Return the patch with its header read; ``TransientError`` (patch_failed) where it is none."""
    try:
        return PatchReader(build.seekable())
    except (ValueError, RecursionError) as error:
        raise failed(str(error) or "its header cannot be read") from error
