"""The frozen pawld and its Linux packages, made once for all tests of this run."""

from pathlib import Path

import pytest
from support.freezing import Frozen, begun, ended, snapshot


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    one, other = (tmp_path_factory.mktemp(name) for name in ("frozen", "frozen-again"))
    source = snapshot(tmp_path_factory.mktemp("source"))
    ended(begun(source, "freeze.py", one), begun(source, "freeze.py", other))
    return Frozen(source, one / "pawld/pawld", one / "pawld", other / "pawld")


@pytest.fixture(scope="session")
def linux_packages(frozen: Frozen, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Return two versions of each package, the older one first; the second build of the older one stands last."""
    places = [tmp_path_factory.mktemp(name) for name in ("older", "newer", "older-again")]
    versions = ("0.1.0", "0.2.0", "0.1.0")
    ended(
        *(
            begun(frozen.source, "linux.py", frozen.one, place, "--version", version)
            for place, version in zip(places, versions, strict=True)
        )
    )
    return {form: [next(place.glob(f"*.{form}")) for place in places] for form in ("deb", "rpm")}
