"""The whole story against a release server on loopback, in a temporary directory: what ``pawld demo`` shows."""
