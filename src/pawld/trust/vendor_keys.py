"""A vendor's keys that a TUF repository names, for the sidecar modes.

They rotate, and are revoked, without a hand on any host; and an older set of keys is refused as any older metadata is,
by the marks.
"""

from typing import TYPE_CHECKING

from pawld.errors import RejectedError
from pawld.formats.vendor_keys import read_vendor_keys
from pawld.model import Question
from pawld.reasons import Reason
from pawld.trust.signatures import Keyring, KeysInForce

if TYPE_CHECKING:
    from pawld.trust.tuf import TufEngine


class CarriedKeys:
    """Keys that the target *target* (with ``{product}``) of *repository* names."""

    def __init__(self, repository: "TufEngine", target: str) -> None:
        self._repository = repository
        self._target = target

    def keys(self, question: Question) -> KeysInForce:
        """Refresh the repository, and read the target.

        Raises:
            RejectedError: metadata_untrusted, metadata_frozen …; record_invalid where it names no keys.
            TransientError: it could not be fetched.
        """
        target = self._target.format(product=question.product)
        found, chain = self._repository.look_up(target)
        if found is None:
            raise RejectedError(Reason.RECORD_INVALID, f"The TUF repository has no target {target} with vendor's keys.")
        named = read_vendor_keys(found.custom, target)
        return KeysInForce(Keyring(named.public_keys, named.threshold), chain.roles)
