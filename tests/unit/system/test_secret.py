import os
import sys
from pathlib import Path

import pytest

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.secret import LIMIT, Secret

owners_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows guards files by access lists")


def written(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def refusal(secret: Secret) -> OperatorError:
    with pytest.raises(OperatorError) as caught:
        secret.read()
    return caught.value


def test_a_file_is_read_without_the_line_end_that_editors_add(tmp_path: Path) -> None:
    assert Secret.from_file(written(tmp_path / "token", "s3cret\n")).read() == "s3cret"


def test_a_rotated_file_counts_at_the_next_use(tmp_path: Path) -> None:
    secret = Secret(file=written(tmp_path / "token", "old"))
    assert secret.read() == "old"
    written(tmp_path / "token", "new")
    assert secret.read() == "new"


@owners_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    error = refusal(Secret.from_file(written(tmp_path / "token", "s3cret", mode)))
    assert error.reason is Reason.SECRET_EXPOSED
    assert f"{mode:04o}" in error.message
    assert "s3cret" not in error.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no text"),
        (b"  \n", "holds nothing"),
        (b"one\ntwo", "line break"),
        (b"\xff\xfe", "holds no text"),
        (b"x" * (LIMIT + 1), "holds no text"),
    ],
)
def test_a_file_without_a_usable_secret_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    error = refusal(Secret.from_file(written(tmp_path / "token", content)))
    assert error.reason is Reason.SECRET_MISSING
    assert said in error.message
    assert str(tmp_path / "token") in error.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    error = refusal(Secret.from_file(tmp_path / "absent"))
    assert error.reason is Reason.SECRET_MISSING
    assert "absent" in error.message


def test_a_directory_in_the_file_s_place_is_named(tmp_path: Path) -> None:
    assert refusal(Secret.from_file(tmp_path)).reason is Reason.SECRET_MISSING


@owners_only
def test_a_pipe_in_the_file_s_place_does_not_hang_the_updater(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "not a regular file" in refusal(Secret.from_file(tmp_path / "pipe")).message


def test_a_variable_is_read_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret.from_env("PAWLD_TEST_TOKEN")
    monkeypatch.delenv("PAWLD_TEST_TOKEN", raising=False)
    assert refusal(secret).reason is Reason.SECRET_MISSING
    monkeypatch.setenv("PAWLD_TEST_TOKEN", "s3cret")
    assert secret.read() == "s3cret"


def test_a_command_prints_the_secret() -> None:
    assert Secret.from_command([sys.executable, "-c", "print('s3cret')"]).read() == "s3cret"


def test_a_command_that_fails_is_named_without_its_words() -> None:
    error = refusal(Secret.from_command([sys.executable, "-c", "import sys; sys.exit('s3cret')"]))
    assert error.reason is Reason.SECRET_MISSING
    assert "ended with 1" in error.message
    assert "s3cret" not in error.message


def test_a_command_that_cannot_run_is_named() -> None:
    assert "did not end by itself" in refusal(Secret.from_command(["/nonexistent/program"])).message


def test_an_empty_command_is_a_mistake_of_the_configuration() -> None:
    error = refusal(Secret.from_command([]))
    assert error.reason is Reason.CONFIG_INVALID


@pytest.mark.parametrize("places", [{}, {"file": "/a", "env": "B"}])
def test_a_secret_has_exactly_one_place(places: dict[str, str]) -> None:
    with pytest.raises(OperatorError) as caught:
        Secret(**places)
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_systemd_credential_is_found_and_its_access_list_is_no_exposure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    written(tmp_path / "acme.token", "s3cret", 0o440)
    assert Secret.from_credential("acme.token").read() == "s3cret"


@owners_only
def test_a_credential_that_the_world_may_read_is_refused_nevertheless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    written(tmp_path / "acme.token", "s3cret", 0o444)
    assert refusal(Secret.from_credential("acme.token")).reason is Reason.SECRET_EXPOSED


@pytest.mark.parametrize(("directory", "name"), [("", "acme.token"), ("/run/credentials/x", "../shadow")])
def test_a_credential_that_systemd_did_not_pass_is_named(
    monkeypatch: pytest.MonkeyPatch, directory: str, name: str
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", directory)
    with pytest.raises(OperatorError) as caught:
        Secret.from_credential(name)
    assert caught.value.reason is Reason.SECRET_MISSING


def test_showing_a_secret_shows_its_place_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWLD_TEST_TOKEN", "s3cret")
    for secret in (
        Secret.from_env("PAWLD_TEST_TOKEN"),
        Secret.from_file(written(tmp_path / "token", "s3cret")),
        Secret.from_command(["echo", "s3cret"]),
    ):
        assert "s3cret" not in repr(secret) + str(secret) + secret.describe()
    assert Secret.from_command([]).describe() == "the command (empty)"
