"""The keys that a publisher knows, and those that can sign from here."""

from pathlib import Path

from securesystemslib.signer import Key, Signer

from pawld.errors import OperatorError
from pawld.publish import keys
from pawld.publish.keys import NamedKey, Unlock
from pawld.reasons import Reason
from pawld.system.files import make_directory, write_durably


class Keyring:
    """The key directory. A passphrase is asked for when a key signs for the first time, and never before."""

    def __init__(self, directory: Path, unlock: Unlock) -> None:
        self._directory = directory
        self._unlock = unlock
        self._signers: dict[str, Signer] = {}

    def known(self) -> dict[str, NamedKey]:
        """Return every known key by its id."""
        found = (keys.read_public(path) for path in sorted(self._directory.glob("*.pub.json")))
        return {named.key.keyid: named for named in found}

    def name_of(self, keyid: str) -> str:
        """Return what people call the key; the start of its id where nobody named it."""
        named = self.known().get(keyid)
        return named.name if named else keyid[:12]

    def named(self, name: str) -> NamedKey:
        """Return the key of that name; ``OperatorError`` (config_invalid) where there is none."""
        for named in self.known().values():
            if name in (named.name, named.key.keyid):
                return named
        raise OperatorError(Reason.CONFIG_INVALID, f"No key is called {name!r} in {self._directory}.")

    def add(self, named: NamedKey) -> NamedKey:
        """Take note of a public key whose private half is elsewhere."""
        make_directory(self._directory, mode=0o700)
        present = self.known().get(named.key.keyid)
        if present is not None:
            return present
        path = self._directory / f"{named.name}.pub.json"
        if path.exists() or Path(named.name).name != named.name:
            raise OperatorError(Reason.CONFIG_INVALID, f"Another key is called {named.name!r} in {self._directory}.")
        write_durably(path, named.document())
        return named

    def new(self, role: str) -> NamedKey:
        """Make a key for *role*, with the first free number."""
        number = 1
        while any(self._directory.glob(f"{role}-{number}.*")):
            number += 1
        name = f"{role}-{number}"
        return keys.generate(self._directory, name, self._unlock(name))

    def holds(self, key: Key) -> bool:
        """Say whether *key* could sign from here, without asking for its passphrase."""
        named = self.known().get(key.keyid)
        return named is not None and (named.uri is not None or (self._directory / f"{named.name}.pem").exists())

    def signer(self, key: Key) -> Signer | None:
        """Return what signs for *key*; None where its private half is not here."""
        named = self.known().get(key.keyid)
        if named is None:
            return None
        if key.keyid not in self._signers:
            signer = self._load(named)
            if signer is None:
                return None
            self._signers[key.keyid] = signer
        return self._signers[key.keyid]

    def _load(self, named: NamedKey) -> Signer | None:
        if named.uri is not None:
            return keys.load_uri(named, self._unlock)
        path = self._directory / f"{named.name}.pem"
        if not path.exists():
            return None
        signer = keys.load_file(path, self._unlock(named.name))
        if signer.public_key.keyval != named.key.keyval:
            raise OperatorError(Reason.CONFIG_INVALID, f"{path} is not the private half of {named.name}.pub.json.")
        return signer
