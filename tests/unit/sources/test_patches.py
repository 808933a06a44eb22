"""Patches are looked for beside the publisher's builds, with the token for that place alone."""

from pathlib import Path

import pytest

from pawld.errors import OperatorError
from pawld.model import Patch
from pawld.sources.patches import PatchPlaces
from pawld.system.secret import Secret

PATCH = Patch("a" * 64, "sha256/" + "b" * 64, "hdiffpatch", 7, "b" * 64)


def test_a_patch_lies_at_its_target() -> None:
    [place] = PatchPlaces("https://updates.example/targets/").locate(PATCH)
    assert place.url == f"https://updates.example/targets/sha256/{'b' * 64}"
    assert (dict(place.headers), place.final_hosts) == ({}, ())


def test_token_and_hosts_go_along(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("tell-no-one")
    (tmp_path / "token").chmod(0o600)
    token = Secret(file=tmp_path / "token")
    places = PatchPlaces("https://updates.example/t", token=token, final_hosts=["objects.example"])
    [place] = places.locate(PATCH)
    assert place.headers["Authorization"] == "Bearer tell-no-one"
    assert place.final_hosts == ("objects.example",)


def test_plain_http_is_refused() -> None:
    with pytest.raises(OperatorError):
        PatchPlaces("http://updates.example/targets")
