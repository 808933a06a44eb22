"""Patches and lists of files are looked for beside the publisher's builds, with the token for that place alone."""

from pathlib import Path

import pytest

from pawld.errors import OperatorError
from pawld.sources.published import PublishedPlaces
from pawld.system.secret import Secret

TARGET = "sha256/" + "b" * 64


def test_everything_lies_at_its_target() -> None:
    [place] = PublishedPlaces("https://updates.example/targets/").locate(TARGET)
    assert place.url == f"https://updates.example/targets/sha256/{'b' * 64}"
    assert (dict(place.headers), place.final_hosts) == ({}, ())


def test_token_and_hosts_go_along(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("tell-no-one")
    (tmp_path / "token").chmod(0o600)
    token = Secret(file=tmp_path / "token")
    places = PublishedPlaces("https://updates.example/t", token=token, final_hosts=["objects.example"])
    [place] = places.locate(TARGET)
    assert place.headers["Authorization"] == "Bearer tell-no-one"
    assert place.final_hosts == ("objects.example",)


def test_plain_http_is_refused() -> None:
    with pytest.raises(OperatorError):
        PublishedPlaces("http://updates.example/targets")
