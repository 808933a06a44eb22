"""A certificate authority for a test, and servers' and clients' halves of it."""

import ssl
from datetime import datetime
from pathlib import Path

import trustme


class Authority:
    """One CA; its certificate lies in *directory*, for ``ca_file``."""

    def __init__(self, directory: Path) -> None:
        self._ca = trustme.CA()
        self.ca_file = directory / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca_file))

    def server(self, *names: str, not_after: datetime | None = None) -> ssl.SSLContext:
        """Return the context of a server whose certificate is for *names* (``127.0.0.1`` where none is given)."""
        certificate = self._ca.issue_cert(*(names or ("127.0.0.1",)), not_after=not_after)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context
