"""Who moves bytes to this host."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pawld.model import Location, Record
from pawld.ports.telling import Progress
from pawld.ports.trust import ChunkProof, Downloaded, Ended


class Mover(Protocol):
    """Moves bytes from locations to a file of this host. It proves nothing."""

    def fetch(self, record: Record, locations: Sequence[Location], partial: Path, progress: Progress) -> Downloaded:
        """Bring the whole build into *partial*, resuming what is there."""

    def chunks(
        self, record: Record, locations: Sequence[Location], partial: Path, progress: Progress, proof: ChunkProof
    ) -> Iterator[memoryview]:
        """Yield the build's chunks in order, each accepted by *proof*; kept in *partial* for a resume."""

    def beside(self, sha256: str, places: Sequence[Location], limit: int, accept: Callable[[bytes], None]) -> Ended:
        """Bring a file of at most *limit* bytes while something else is done; that it does not come is no fault."""
