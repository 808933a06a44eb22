"""One host for the whole file: it has to stand every attack, one after the other."""

from collections.abc import Iterator

import pytest
from support.besieged import Besieged, besieged


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    home = tmp_path_factory.mktemp("siege") / "home"
    home.mkdir()
    (home.parent / "canary").write_text("nobody writes here")
    with besieged(home) as made:
        yield made
