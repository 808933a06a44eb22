"""Name a vendor's signing keys in the repository, for hosts that take the vendor's own signatures.

They are a target of the top role ``targets``, whose keys are offline: whoever holds a channel cannot name others.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from tuf.api.metadata import TargetFile

from pawld.errors import OperatorError, RejectedError
from pawld.formats.vendor_keys import TARGET, VendorKeys, read_vendor_keys, write_vendor_keys
from pawld.publish.publisher import Publisher
from pawld.publish.roles import TARGETS
from pawld.reasons import Reason
from pawld.system.faults import host_faults
from pawld.system.files import make_directory, write_durably

KEY_FILE_LIMIT = 4096  # bytes; a comment and a line


def name_vendor_keys(publisher: Publisher, product: str, keys: VendorKeys) -> str:
    """Stage *keys* as those of *product*, in place of any before, and return the target's path.

    Raises:
        OperatorError: usage where they are no minisign keys, or the threshold is more than they are.
    """
    path = TARGET.format(product=product)
    custom = write_vendor_keys(keys)
    try:
        read_vendor_keys(custom, path)
    except RejectedError as error:
        raise OperatorError(Reason.USAGE, error.message) from error
    data = json.dumps(custom, indent=1).encode() + b"\n"
    target = TargetFile.from_data(path, data, ["sha256", "sha512"])
    target.unrecognized_fields["custom"] = custom
    place = publisher.layout.target(path, target.hashes["sha256"])
    with host_faults("Writing the vendor's keys"):
        make_directory(place.parent)
        write_durably(place, data, mode=0o644)
    metadata = publisher.edited(TARGETS)
    metadata.signed.targets[path] = target
    publisher.stage(TARGETS, metadata)
    return path


def read_key_files(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the keys that minisign's ``.pub`` files hold; ``OperatorError`` (usage) where one holds none."""
    return tuple(_key(path) for path in paths)


def _key(path: Path) -> str:
    try:
        with path.open("rb") as file:
            lines = file.read(KEY_FILE_LIMIT).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(Reason.USAGE, f"The public key {path} cannot be read: {error}.") from error
    found = [line.strip() for line in lines if line.startswith("RW")]
    if len(found) != 1:
        raise OperatorError(Reason.USAGE, f"{path} is no public key of minisign: it has no line that begins with RW.")
    return found[0]
