"""The entry point."""


def script() -> None:
    """Run the command line."""
