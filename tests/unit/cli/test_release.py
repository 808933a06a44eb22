"""The whole story of a publisher, told on the command line, judged by python-tuf's client."""

import errno
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pytest_httpserver import HTTPServer
from support.publishing import PASSPHRASE, Client, StillClock, founded, served, tar_gz

from pawld.cli.main import main
from pawld.cli.release_desk import _asked, _new_passphrase
from pawld.cli.release_evidence import _words
from pawld.publish import keys
from pawld.reasons import Exit

Run = Callable[..., tuple[int, str]]
STABLE = "acme-agent/stable/linux-x86_64"
BETA = ("--version", "1.0.0", "--channel", "beta")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `pawld release …` in this repository; return the exit code and what was said."""
    monkeypatch.setenv("PAWLD_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("PAWLD_REPOSITORY", str(tmp_path / "home"))

    def release(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["release", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return release


@pytest.fixture
def home(tmp_path: Path, run: Run) -> Path:
    code, said = run("init", tmp_path / "home", "--product", "acme-agent", "--unsafe-single-key")
    assert code == Exit.DONE, said
    return tmp_path / "home"


@pytest.fixture
def build(tmp_path: Path) -> Callable[[str], Path]:
    def made(version: str) -> Path:
        path = tmp_path / f"acme-{version}.tar.gz"
        path.write_bytes(tar_gz(version))
        return path

    return made


def ingested(run: Run, build: Callable[[str], Path], version: str, channel: str, *more: object) -> tuple[int, str]:
    place = ("--version", version, "--platform", "linux-x86_64", "--channel", channel, "--entrypoint", "bin/acme")
    return run("ingest", build(version), *place, *more)


def fetched(tmp_path: Path, home: Path, name: str) -> bytes:
    root = (home / "public/metadata/1.root.json").read_bytes()
    with served(home / "public") as url:
        return Client(tmp_path / name, url, root).fetch(STABLE)


def test_a_release_goes_through_beta_to_stable_is_halted_and_withdrawn(
    tmp_path: Path, run: Run, home: Path, build: Callable[[str], Path]
) -> None:
    assert ingested(run, build, "1.0.0", "stable")[0] == Exit.DONE
    assert ingested(run, build, "1.1.0", "beta")[0] == Exit.DONE
    assert fetched(tmp_path, home, "before") == tar_gz("1.0.0")
    code, said = run("promote", "1.1.0", "--to", "stable", "--ramp", "1% 1h, 100%", "--security-floor", "1.0.0")
    assert code == Exit.DONE
    assert "stable linux-x86_64: 1.1.0, sequence 2" in said
    assert fetched(tmp_path, home, "after") == tar_gz("1.1.0")
    for words, state in (
        (("halt", "stable"), "halted"),
        (("resume", "stable"), "0.0% of"),
        (("pause", "stable"), "paused"),
    ):
        assert run(*words)[0] == Exit.DONE
        assert state in run("status")[1]
    assert run("withdraw", "1.1.0", "--security-floor", "1.0.1")[0] == Exit.DONE
    assert "withdrawn" in run("status")[1]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("linux-amd64", "linux-x86_64"), ("Darwin-aarch64", "macos-arm64"), ("linux-x64-gnu", "linux-x86_64")],
)
def test_a_platform_in_a_usual_spelling_is_the_one_that_hosts_ask_for(
    run: Run, home: Path, build: Callable[[str], Path], spelling: str, name: str
) -> None:
    del home
    code, said = run("ingest", build("1.0.0"), *BETA, "--platform", spelling)
    assert (code, f"beta {name}: 1.0.0" in said) == (Exit.DONE, True), said


@pytest.mark.parametrize("spelling", ["linux-amd46", "plan9-x86_64", "linux", "linux-x86_64-uclibc"])
def test_a_platform_that_no_host_has_is_refused_and_nothing_published(
    run: Run, home: Path, build: Callable[[str], Path], spelling: str
) -> None:
    code, said = run("ingest", build("1.0.0"), *BETA, "--platform", spelling)
    assert (code, f"no host calls itself {spelling!r}" in said) == (Exit.USAGE, True), said
    assert not (home / "builds").exists()


def test_status_is_one_document_for_a_program(run: Run, home: Path, build: Callable[[str], Path]) -> None:
    code, said = ingested(run, build, "1.0.0", "stable", "--json")
    assert code == Exit.DONE
    assert json.loads(said)["published"]["stable"] == 2
    document = json.loads(run("status", "--json")[1])
    assert [(one["channel"], one["version"], one["fraction"]) for one in document["releases"]] == [
        ("stable", "1.0.0", 1.0)
    ]
    assert {one["role"]: one["freshness"] for one in document["roles"]}["timestamp"] == "fresh"


def test_a_build_comes_through_the_vendors_redirect_and_stays_there(
    tmp_path: Path, run: Run, home: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/latest").respond_with_data(status=302, headers={"Location": "/cdn/acme.tar.gz"})
    httpserver.expect_request("/cdn/acme.tar.gz").respond_with_data(tar_gz("1.0.0"))
    place = ("--version", "1.0.0", "--platform", "linux-x86_64", "--channel", "stable", "--filename", "acme.tar.gz")
    code, said = run("ingest", httpserver.url_for("/latest"), *place, "--no-copy")
    assert code == Exit.DONE, said
    assert not list((home / "public/targets").rglob("*acme.tar.gz"))
    root = (home / "public/metadata/1.root.json").read_bytes()
    with served(home / "public") as url:
        target = Client(tmp_path / "host", url, root).ask(STABLE)
    assert target is not None
    assert target.custom["sources"][0]["url"] == httpserver.url_for("/latest")


def test_keys_rotate_and_the_timestamp_is_refreshed(
    tmp_path: Path, run: Run, home: Path, build: Callable[[str], Path]
) -> None:
    ingested(run, build, "1.0.0", "stable")
    for role in ("root", "targets", "stable", "beta", "snapshot", "timestamp"):
        code, said = run("rotate", role)
        assert (code, f"{role}: {role}-1 out, {role}-2 in." in said) == (Exit.DONE, True)
    assert run("refresh", "--role", "stable", "--due")[0] == Exit.DONE
    assert run("refresh", "--check")[0] == Exit.DONE
    assert fetched(tmp_path, home, "host") == tar_gz("1.0.0")


def test_two_people_sign_a_release_far_from_the_repository(
    tmp_path: Path, run: Run, build: Callable[[str], Path]
) -> None:
    for name in ("ann", "bob"):
        assert run("key", name, "--to", tmp_path / name)[0] == Exit.DONE
    given = [word for name in ("ann", "bob") for word in ("--public-key", f"stable={tmp_path / name / name}.pub.json")]
    home = tmp_path / "home"
    code, said = run("init", home, "--product", "acme-agent", "--channel", "stable", "--quorum", "stable=2/2", *given)
    assert code == Exit.TRY_LATER
    assert "stable waits for 2 more signatures, by ann or bob" in said
    ceremony(tmp_path, run, "first")
    assert ingested(run, build, "1.0.0", "stable")[0] == Exit.TRY_LATER
    assert "1.0.0" not in run("status")[1]
    ceremony(tmp_path, run, "second")
    assert fetched(tmp_path, home, "host") == tar_gz("1.0.0")


def ceremony(tmp_path: Path, run: Run, name: str) -> None:
    to = tmp_path / name
    to.mkdir()
    assert "Copied" in run("stage", "--to", to)[1]
    copies = sorted(to.iterdir())
    assert [copy.name for copy in copies] == ["archive.json", "stable.json"]
    for person in ("ann", "bob"):
        for copy in copies:
            assert run("sign", copy)[0] == Exit.DONE
            assert "Signed by" in run("sign", copy, "--key", tmp_path / person / f"{person}.pem")[1]
    code, said = run("publish", *copies)
    assert (code, "Published" in said) == (Exit.DONE, True), said


def test_what_is_staged_can_be_discarded(run: Run, home: Path, build: Callable[[str], Path]) -> None:
    (home / "keys/stable-1.pem").rename(home / "stable-1.pem")
    assert ingested(run, build, "1.0.0", "stable")[0] == Exit.TRY_LATER
    assert "waits" in run("status")[1]
    run("stage", "--discard", "stable", "--discard", "archive")
    assert "waits" not in run("status")[1]


def test_a_bundle_is_exported(tmp_path: Path, run: Run, home: Path, build: Callable[[str], Path]) -> None:
    ingested(run, build, "1.0.0", "stable")
    bundle = tmp_path / "acme.pawld"
    assert run("export", bundle, "--channel", "stable", "--platform", "linux-x86_64")[0] == Exit.DONE
    assert tar_gz("1.0.0") in bundle.read_bytes()


def test_a_key_of_a_vault_is_described(tmp_path: Path, run: Run) -> None:
    named = keys.generate(tmp_path, "root-1", PASSPHRASE)
    public = keys.load_file(tmp_path / "root-1.pem", PASSPHRASE)._private_key.public_key()  # type: ignore[attr-defined]  # the test's own key
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "exported.pem").write_bytes(pem)
    code, _ = run("describe-key", "kms", "--pem", tmp_path / "exported.pem", "--uri", "gcpkms:x", "--to", tmp_path)
    assert code == Exit.DONE
    assert keys.read_public(tmp_path / "kms.pub.json").key.keyid == named.key.keyid


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("init", "{home}", "--product", "acme-agent"), Exit.CONFIGURATION),
        (("init", "{tmp}/new", "--product", "x", "--quorum", "root=3/1"), Exit.USAGE),
        (("init", "{tmp}/new", "--product", "x", "--quorum", "root=1/3"), Exit.USAGE),
        (("promote", "9.9.9", "--to", "stable"), Exit.USAGE),
        (("halt", "stable"), Exit.USAGE),
        (("rotate", "root", "--threshold", "1"), Exit.USAGE),
        (("refresh", "--role", "nobody"), Exit.USAGE),
        (("ingest", "/nothing", "--version", "1", "--platform", "linux-x86_64", "--channel", "beta"), Exit.USAGE),
        (
            ("ingest", "/x", "--version", "1", "--platform", "linux-x86_64", "--channel", "beta", "--no-copy"),
            Exit.USAGE,
        ),
        (("ingest", "ftp://x/y", "--version", "1", "--platform", "linux-x86", "--channel", "beta"), Exit.CONFIGURATION),
        (("ingest", "/x", "--version", "1", "--platform", "linux", "--channel", "beta"), Exit.USAGE),
        (("status", "--repository", "{tmp}/nowhere"), Exit.CONFIGURATION),
        (("promote", "1.0.0", "--to", "stable", "--start", "soon"), Exit.USAGE),
    ],
)
def test_what_cannot_be_is_refused_with_its_code(
    tmp_path: Path, run: Run, home: Path, words: tuple[str, ...], code: Exit
) -> None:
    before = sorted(path.name for path in (home / "public/metadata").iterdir())
    assert run(*(word.format(home=home, tmp=tmp_path) for word in words))[0] == code
    assert sorted(path.name for path in (home / "public/metadata").iterdir()) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--quorum", "root=two"), "'root=two' names no keys and threshold; it reads like targets=3/2"),
        (("--quorum", "root=1/3"), "a threshold lies between 1 and the number of keys"),
        (("--public-key", "alice.pub.json"), "'alice.pub.json' names no role and file"),
    ],
)
def test_what_init_does_not_understand_is_told_with_an_example(
    tmp_path: Path, run: Run, words: tuple[str, ...], told: str
) -> None:
    code, said = run("init", tmp_path / "new", "--product", "x", *words)
    assert code == Exit.USAGE
    assert told in said
    assert not (tmp_path / "new").exists()


def test_several_keys_need_the_name_of_the_one_that_goes(tmp_path: Path, run: Run) -> None:
    run("init", tmp_path / "home", "--product", "acme-agent")
    code, said = run("rotate", "root")
    assert (code, "root-1, root-2, root-3" in said) == (Exit.USAGE, True)
    assert run("rotate", "root", "--out", "root-2")[0] == Exit.DONE


def test_without_a_passphrase_or_a_terminal_nothing_is_signed(
    run: Run, home: Path, build: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PAWLD_PASSPHRASE")
    assert run("refresh")[0] == Exit.CONFIGURATION
    assert run("key", "ann", "--to", tmp_path / "ann")[0] == Exit.CONFIGURATION
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "passphrase").chmod(0o600)
    assert run("refresh", "--passphrase-file", tmp_path / "passphrase")[0] == Exit.DONE


def test_cron_is_warned_long_before_anything_expires(tmp_path: Path, run: Run) -> None:
    clock = StillClock()
    clock.sleep(timedelta(days=-25))
    founded(tmp_path / "home", clock=clock)
    code, said = run("refresh", "--check")
    assert code == Exit.TRY_LATER
    assert "warning: beta expires in 4 d; sign it again" in said
    assert "warning: timestamp expired at" in said
    code, said = run("refresh")
    assert code == Exit.DONE
    assert "warning: beta expires in" in said
    assert "timestamp" not in said.partition("warning")[2]
    assert "EXPIRED" not in run("status")[1]
    assert "due to be signed again" in run("status")[1]


def test_a_person_is_asked_once_for_new_keys_and_by_name_for_old_ones(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAWLD_PASSPHRASE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return PASSPHRASE

    monkeypatch.setattr("pawld.cli.release_desk.getpass", answer)
    _new_passphrase.cache_clear()
    _asked.cache_clear()
    assert run("init", tmp_path / "home", "--product", "acme-agent", "--unsafe-single-key")[0] == Exit.DONE
    assert questions[:2] == ["Passphrase for the new signing keys: ", "The same again: "]
    questions.clear()
    assert run("refresh")[0] == Exit.DONE
    assert len(questions) == len(set(questions))
    _new_passphrase.cache_clear()
    _asked.cache_clear()


def test_two_different_passphrases_make_no_key(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAWLD_PASSPHRASE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = iter(["one passphrase", "another passphrase"])
    monkeypatch.setattr("pawld.cli.release_desk.getpass", lambda _question: next(answers))
    _new_passphrase.cache_clear()
    assert run("key", "ann", "--to", tmp_path / "ann")[0] == Exit.USAGE
    assert not (tmp_path / "ann").exists()


def test_a_path_of_windows_keeps_its_backslashes() -> None:
    text = r"""minisign public_key=@C:\keys\acme.pub name='two words'"""
    assert _words(text, "win32") == ["minisign", r"public_key=@C:\keys\acme.pub", "name=two words"]
    assert _words(text, "linux") == ["minisign", "public_key=@C:keysacme.pub", "name=two words"]


def test_evidence_that_is_not_there_is_told_without_numbers(run: Run, build: Callable[[str], Path], home: Path) -> None:
    code, said = ingested(run, build, "1.0.0", "beta", "--evidence", f"minisign public_key=@{home / 'mistyped'}")
    assert code == Exit.USAGE
    assert f"{home / 'mistyped'} cannot be read: No such file or directory; " in said
    assert "Errno" not in said


def test_a_full_disk_is_told_as_one_and_the_same_command_goes_on_from_there(
    tmp_path: Path, run: Run, home: Path, build: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/home/staged")

    with monkeypatch.context() as patch:
        patch.setattr("pawld.publish.staging.write_durably", full)
        code, said = ingested(run, build, "1.0.0", "stable")
    assert code == Exit.TRY_LATER
    assert "reason: disk_full" in said

    assert ingested(run, build, "1.0.0", "stable")[0] == Exit.DONE
    assert fetched(tmp_path, home, "after") == tar_gz("1.0.0")
