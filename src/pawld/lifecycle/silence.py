"""Nobody watches."""


class Silence:
    """A ``ports.Progress`` that tells nothing."""

    def start(self, step: str, total: int, done: int = 0) -> None:
        """Say nothing."""

    def advance(self, count: int) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""
