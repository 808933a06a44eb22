"""Keys and thresholds, as independent suites try them on a client."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from support.static_web import static_web
from support.tuf_repository import TufRepository, new_key

from pawld.trust.tuf_cli import main

Refresh = Callable[[], int]


@pytest.fixture
def repository() -> TufRepository:
    made = TufRepository()
    made.publish()
    return made


@pytest.fixture
def refresh(tmp_path: Path, repository: TufRepository) -> Iterator[Refresh]:
    metadata = str(tmp_path / "metadata")
    (tmp_path / "root.json").write_bytes(repository.first_root)
    assert main(["--metadata-dir", metadata, "init", str(tmp_path / "root.json")]) == 0
    with static_web(repository.files) as server:
        yield lambda: main(["--metadata-dir", metadata, "--metadata-url", server.url, "refresh"])


@pytest.mark.parametrize(
    "make", [CryptoSigner.generate_ed25519, CryptoSigner.generate_ecdsa, CryptoSigner.generate_rsa]
)
@pytest.mark.parametrize("role", ["timestamp", "targets"])
def test_every_common_kind_of_key_is_understood(
    make: Callable[[], CryptoSigner], role: str, refresh: Refresh, repository: TufRepository
) -> None:
    repository.root.revoke_key(repository.signers[role][0].public_key.keyid, role)
    repository.signers[role] = [make()]
    repository.root.add_key(repository.signers[role][0].public_key, role)
    repository.publish_root()
    repository.publish()

    assert refresh() == 0


@pytest.mark.parametrize(("signing", "answer"), [(3, 0), (2, 0), (1, 1)])
def test_a_threshold_counts_signatures(signing: int, answer: int, refresh: Refresh, repository: TufRepository) -> None:
    extra = [new_key(), new_key()]
    for signer in extra:
        repository.root.add_key(signer.public_key, "snapshot")
    repository.root.roles["snapshot"].threshold = 2
    repository.signers["snapshot"] = [*repository.signers["snapshot"], *extra][:signing]
    repository.publish_root()
    repository.publish()

    assert refresh() == answer


def test_one_key_that_signs_twice_counts_once(refresh: Refresh, repository: TufRepository) -> None:
    repository.root.add_key(new_key().public_key, "snapshot")
    repository.root.roles["snapshot"].threshold = 2
    repository.signers["snapshot"] *= 2
    repository.publish_root()
    repository.publish()

    assert refresh() == 1


def test_a_key_of_another_role_signs_nothing(refresh: Refresh, repository: TufRepository) -> None:
    repository.signers["snapshot"] = repository.signers["timestamp"]
    repository.publish()

    assert refresh() == 1


@pytest.mark.parametrize("keep", [2, 1, 0])
def test_a_root_rotation_needs_the_threshold_of_the_old_and_of_the_new(
    keep: int, tmp_path: Path, repository: TufRepository
) -> None:
    strict = TufRepository(root_keys=3, root_threshold=2)
    strict.publish()
    old = strict.signers["root"]
    for signer in old[keep:]:
        strict.root.revoke_key(signer.public_key.keyid, "root")
    strict.signers["root"] = [*old[:keep], *(new_key() for _ in old[keep:])]
    for signer in strict.signers["root"][keep:]:
        strict.root.add_key(signer.public_key, "root")
    strict.publish_root()
    (tmp_path / "root.json").write_bytes(strict.first_root)
    metadata = str(tmp_path / "metadata")
    main(["--metadata-dir", metadata, "init", str(tmp_path / "root.json")])

    with static_web(strict.files) as server:
        answer = main(["--metadata-dir", metadata, "--metadata-url", server.url, "refresh"])

    assert answer == (0 if keep == 2 else 1)


def test_many_rotations_in_a_row_are_followed(refresh: Refresh, repository: TufRepository) -> None:
    for role in ("root", "timestamp", "snapshot", "targets") * 5:
        repository.rotate(role)
        repository.publish()

    assert refresh() == 0
    assert refresh() == 0
