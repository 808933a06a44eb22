import io
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from support.configuration import MINIMAL, written
from support.control import FakeControl, agent

from pawld import __version__
from pawld.cli.arguments import COMMANDS
from pawld.cli.control import Wish
from pawld.cli.main import main
from pawld.cli.progress import Lines, Silence
from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.reasons import Reason


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["-v", "--version"]])
def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str], words: Any) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out == f"pawld {__version__}\n"


def test_the_version_needs_no_module_that_takes_time() -> None:
    heavy = ("argparse", "enum", "json", "re")
    code = (
        "import sys; from pawld.cli.main import main; main(['--version']); "
        f"print([one for one in sys.modules if one in {heavy}])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": "src"},
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize(
    "words", [[], ["chek"], ["check", "--bogus"], ["check", "--at", "noon"], ["config"], ["--config"], ["block"]]
)
def test_a_command_that_is_not_understood_ends_with_2(capsys: pytest.CaptureFixture[str], words: Any) -> None:
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "reason: usage" in err
    assert "next: See `pawld --help`." in err


def test_a_command_that_is_not_understood_is_told_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "chek"]) == 2
    assert json.loads(capsys.readouterr().out)["reason"]["code"] == "usage"


@pytest.mark.parametrize("words", [["--json", "check"], ["check", "--json"], ["--json", "check", "--json"]])
def test_options_stand_before_or_after_the_command(wired: Any, capsys: pytest.CaptureFixture[str], words: Any) -> None:
    control = wired(FakeControl())
    assert main([*words, "--config", "/tmp/x.toml"]) == 0
    assert json.loads(capsys.readouterr().out) == control.document
    assert str(control.config) == "/tmp/x.toml"


def test_a_configuration_may_be_called_like_a_command(wired: Any) -> None:
    control = wired(FakeControl())
    assert main(["--config", "status", "check"]) == 0
    assert str(control.config) == "status"
    assert control.asked == [("check", ())]


@pytest.mark.parametrize(
    ("words", "question"),
    [
        (["check"], ("check", ())),
        (["check", "acme"], ("check", ("acme",))),
        (["check", "--at", "2027-03-01"], ("explain", (), datetime(2027, 3, 1, tzinfo=UTC), None)),
        (["check", "acme", "--host-id", "h7"], ("explain", ("acme",), None, "h7")),
        (["status", "acme"], ("status", ("acme",))),
        (["rollback", "acme"], ("rollback", ("acme",))),
        (["recover"], ("recover", ())),
        (["block", "1.8.3", "acme"], ("block", ("acme",), "1.8.3")),
        (["unblock", "1.8.3"], ("unblock", (), "1.8.3")),
        (["history"], ("history", (), 20)),
        (["history", "acme", "--limit", "3"], ("history", ("acme",), 3)),
        (["recover", "--self-test"], ("self_test", ())),
    ],
)
def test_each_command_asks_its_question(wired: Any, words: Any, question: Any) -> None:
    control = wired(FakeControl())
    assert main(words) == 0
    assert control.asked == [question]


@pytest.mark.parametrize(
    ("words", "wish", "progress"),
    [
        (["update"], Wish(), Lines),
        (["update", "--no-wait"], Wish(wait=False), Lines),
        (["update", "--force", "--json"], Wish(force=True), Silence),
    ],
)
def test_update_passes_on_how_it_is_wanted(wired: Any, words: Any, wish: Any, progress: Any) -> None:
    control = wired(FakeControl())
    assert main(words) == 0
    ((verb, agents, asked, shown),) = control.asked
    assert (verb, agents, asked) == ("update", (), wish)
    assert isinstance(shown, progress)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Reason.UP_TO_DATE, 0),
        (Reason.UPDATE_AVAILABLE, 100),
        (Reason.OUTSIDE_WINDOW, 75),
        (Reason.NO_BUILD, 69),
        (Reason.DIGEST_MISMATCH, 65),
        (Reason.ROLLED_BACK, 3),
        (Reason.UNAUTHORIZED, 77),
        (Reason.UNKNOWN_PLATFORM, 78),
    ],
)
def test_the_outcome_is_the_exit_code(wired: Any, capsys: pytest.CaptureFixture[str], reason: Any, code: Any) -> None:
    wired(FakeControl({"agents": [agent(reason)]}))
    assert main(["update"]) == code
    assert f"acme: It is so. ({reason.code})" in capsys.readouterr().out


def test_of_several_agents_the_worst_outcome_counts(wired: Any) -> None:
    wired(FakeControl({"agents": [agent(Reason.UP_TO_DATE), agent(Reason.DIGEST_MISMATCH), agent(Reason.LOCK_HELD)]}))
    assert main(["update"]) == 65


def test_a_failure_is_a_sentence_a_code_and_a_next_step(wired: Any, capsys: pytest.CaptureFixture[str]) -> None:
    wired(FakeControl(error=RejectedError(Reason.DIGEST_MISMATCH, "The build is not what was signed.")))
    assert main(["update"]) == 65
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "pawld: The build is not what was signed.",
        "reason: digest_mismatch",
        f"next: {Reason.DIGEST_MISMATCH.next_step}",
    ]


def test_a_failure_in_json_is_one_document(wired: Any, capsys: pytest.CaptureFixture[str]) -> None:
    wired(FakeControl(error=TransientError(Reason.RATE_LIMITED, "Too fast.", retry_after=timedelta(seconds=60))))
    assert main(["check", "--json"]) == 75
    told = capsys.readouterr()
    reason = json.loads(told.out)["reason"]
    assert (reason["code"], reason["message"]) == ("rate_limited", "Too fast.")
    assert reason["retry_at"].endswith("+00:00")
    assert "again at: 20" in told.err


def test_what_nobody_foresaw_is_told_without_a_traceback(wired: Any, capsys: pytest.CaptureFixture[str]) -> None:
    wired(FakeControl(error=ZeroDivisionError("token=s3cr3t")))
    assert main(["check"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "s3cr3t" not in err
    assert "ZeroDivisionError" in err
    assert "reason: unexpected" in err


def test_the_traceback_is_there_for_who_asks_and_holds_no_secret(
    wired: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    wired(FakeControl(error=ZeroDivisionError("token=s3cr3t")))
    assert main(["-v", "check"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "s3cr3t" not in err


def test_who_asks_for_more_gets_the_libraries_words_without_secrets(
    wired: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    class Talking(FakeControl):
        def check(self, _: Any) -> Any:
            logging.getLogger("httpx").debug("GET %s", "https://cdn.example/a?sig=s3cr3t")
            return self.document

    with caplog.at_level(logging.DEBUG):
        wired(Talking())
        assert main(["check"]) == 0
        assert "cdn.example" not in capsys.readouterr().err
        assert main(["check", "-v"]) == 0
    err = capsys.readouterr().err
    assert "https://cdn.example/a" in err
    assert "s3cr3t" not in err


def test_an_interrupt_ends_with_130(wired: Any, capsys: pytest.CaptureFixture[str]) -> None:
    wired(FakeControl(error=KeyboardInterrupt()))
    assert main(["update"]) == 130
    assert capsys.readouterr().err == "pawld: interrupted; `pawld status` tells where it stands\n"


def test_a_reader_that_went_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m pawld config schema; echo $? >&2"
    done = subprocess.run(["bash", "-c", f"( {command} ) | true"], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
    assert done.stderr.strip() in {"141", "0"}


def ended(words: str, **where: Any) -> "subprocess.CompletedProcess[str]":
    """Run the program with *words*, and something that is due at its end."""
    begin = "import atexit, sys; from pawld.cli.main import script; atexit.register(print, 'late')"
    code = f"{begin}; sys.argv[1:] = {words.split()}; script()"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run([sys.executable, "-c", code], env=environment, text=True, check=False, **where)


def test_the_program_does_what_is_due_at_its_end_and_tells_how_it_ended() -> None:
    done = ended("chek", capture_output=True)
    assert (done.returncode, done.stdout) == (2, "late\n")
    assert "reason: usage" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_what_could_not_be_printed_is_no_success() -> None:
    with Path("/dev/full").open("w") as full:
        assert ended("--version", stdout=full, stderr=subprocess.DEVNULL).returncode != 0


def test_a_closed_pipe_inside_a_command_ends_with_141(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wired(FakeControl(error=BrokenPipeError()))
    monkeypatch.setattr("pawld.cli.main._let_go_of_stdout", lambda: None)
    assert main(["check"]) == 141


def test_what_windows_says_of_a_closed_pipe_ends_with_141_and_another_fault_of_the_host_with_1(
    wired: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise OSError(22, "Invalid argument")

    wired(FakeControl(error=OSError(5, "a broken disk")))
    assert main(["check"]) == 1
    assert "did not foresee: OSError" in capsys.readouterr().err
    monkeypatch.setattr("pawld.cli.main._let_go_of_stdout", lambda: None)
    monkeypatch.setattr(sys, "stdout", Closed())
    assert main(["check"]) == 141


def test_a_command_that_this_pawld_lacks_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COMMANDS, "doctor", ("nothing_of_the_kind", "…"))
    assert main(["doctor"]) == 2
    assert "was built without `nothing_of_the_kind`" in capsys.readouterr().err


def test_a_module_that_lacks_something_else_is_not_taken_for_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(name: str) -> NoReturn:
        raise ModuleNotFoundError(name, name="elsewhere")

    monkeypatch.setattr("pawld.cli.arguments.importlib.import_module", broken)
    assert main(["check"]) == 1
    assert "ModuleNotFoundError" in capsys.readouterr().err


def test_config_show_tells_every_setting_with_its_origin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, MINIMAL)
    assert main(["--config", str(file), "config", "show"]) == 0
    out = capsys.readouterr().out
    assert f'agents.acme.root = "/opt/acme-agent"  # {file}\n' in out
    assert 'updater.check_every = "1h"  # default\n' in out
    assert main(["config", "show", "--json", "--config", str(file)]) == 0
    rows = json.loads(capsys.readouterr().out)["settings"]
    assert {"key": "agents.acme.root", "value": "/opt/acme-agent", "origin": str(file)} in rows


def test_config_show_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, MINIMAL.replace("root =", "rot ="))
    assert main(["--config", str(file), "config", "show"]) == 78
    err = capsys.readouterr().err
    assert "The configuration has 2 problems:" in err
    assert "reason: config_invalid" in err


def test_a_missing_configuration_ends_with_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "none.toml"), "config", "show"]) == 78
    assert "reason: config_missing" in capsys.readouterr().err


def test_config_schema_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "pawld.toml"


def test_a_privilege_that_is_missing_ends_with_77(wired: Any) -> None:
    wired(FakeControl(error=OperatorError(Reason.PERMISSION_DENIED, "No.")))
    assert main(["recover"]) == 77


def test_a_frozen_pawld_becomes_the_child_that_it_is_asked_to_be_and_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pawld.install.archive import behind_walls  # noqa: PLC0415 - not on Windows

    class LeftError(Exception):
        """The child never comes back."""

    def child(words: list[str]) -> None:
        raise LeftError(words)

    monkeypatch.setattr(behind_walls, "main", child)
    with pytest.raises(LeftError) as caught:
        main(["--behind-walls", "pawld.install.archive.behind_walls", "1", "2"])
    assert caught.value.args == (["1", "2"],)
    assert main(["--behind-walls", "os", "1", "2"]) == 2
    capsys.readouterr()
