"""Where a publisher keeps things. Only ``public/`` is meant for a web server; keys never lie below it.

::

    DIR/public/metadata/   the signed metadata: 1.root.json …, N.stable.json …, timestamp.json
    DIR/public/targets/    builds, patches and lists of files: sha256/<hex>;
                           builds also <product>/<channel>/<hex>.<platform>, as TUF clients ask for them
    DIR/keys/              NAME.pub.json of every known key, NAME.pem (encrypted) of those that are held here
    DIR/staged/            metadata that is not published yet, to be signed
    DIR/builds/            what ``ingest`` measured, by product, version and platform
    DIR/incoming/          bytes on their way in; swept at each start
    DIR/publisher.json     products, channels and terms
"""

from pathlib import Path

from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below one publisher's directory."""

    home: Path

    @property
    def public(self) -> Path:
        """What any static web server serves."""
        return self.home / "public"

    @property
    def metadata(self) -> Path:
        """The signed metadata."""
        return self.public / "metadata"

    @property
    def targets(self) -> Path:
        """The builds that are served from here."""
        return self.public / "targets"

    @property
    def keys(self) -> Path:
        """Public keys, and the encrypted private ones that are held here."""
        return self.home / "keys"

    @property
    def staged(self) -> Path:
        """Metadata that waits for signatures."""
        return self.home / "staged"

    @property
    def builds(self) -> Path:
        """What was measured at ingest."""
        return self.home / "builds"

    @property
    def incoming(self) -> Path:
        """Bytes on their way in."""
        return self.home / "incoming"

    @property
    def plan(self) -> Path:
        """Products, channels and terms."""
        return self.home / "publisher.json"

    @property
    def lock(self) -> Path:
        """Held while a command changes anything."""
        return self.home / ".lock"

    def blob(self, sha256: str) -> Path:
        """Where a mirror finds a build by its content."""
        return self.targets / "sha256" / sha256

    def target(self, path: str, sha256: str) -> Path:
        """Where a TUF client finds the target's bytes (consistent snapshots: the digest stands before the name)."""
        folder, _, name = path.rpartition("/")
        return self.targets / folder / f"{sha256}.{name}"
