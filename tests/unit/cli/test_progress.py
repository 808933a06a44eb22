import io

import pytest

from pawld.cli.output import Manner
from pawld.cli.progress import Lines, Silence, Terminal, progress_of

MIB = 1024 * 1024


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_line_comes_every_ten_seconds() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, lambda: now[0])
    lines.start("Downloading", 100 * MIB, 20 * MIB)
    for _ in range(4):
        now[0] += 5
        lines.advance(10 * MIB)
    lines.finish()
    assert stream.getvalue().splitlines() == [
        "Downloading: 100.0 MiB, 20.0 MiB of it are there",
        "Downloading: 40 % of 100.0 MiB, 2.0 MiB/s, 30 s left",
        "Downloading: 60 % of 100.0 MiB, 2.0 MiB/s, 20 s left",
        "Downloading: done, 60.0 MiB in 20.0 s",
    ]


def test_a_step_of_unknown_size_or_no_bytes_is_told_without_a_share() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, lambda: now[0])
    lines.start("Staging", 0)
    now[0] += 11
    lines.advance(0)
    assert stream.getvalue().splitlines() == ["Staging: 0.0 MiB", "Staging: 0.0 MiB of 0.0 MiB, 0.0 MiB/s"]


def test_a_terminal_gets_a_bar_with_bytes() -> None:
    screen = Screen()
    bar = progress_of(Manner(), screen)
    assert isinstance(bar, Terminal)
    bar.advance(1)
    bar.start("Downloading", 2 * MIB)
    bar.advance(2 * MIB)
    bar.finish()
    bar.finish()
    assert "Downloading" in screen.getvalue()
    assert "2.0/2.0 MiB" in screen.getvalue()


def test_a_program_that_reads_json_gets_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silence = progress_of(Manner(json=True), Screen())
    assert isinstance(silence, Silence)
    silence.start("Downloading", 1)
    silence.advance(1)
    silence.finish()
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


def test_the_stream_is_stderr_where_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    progress_of(Manner()).start("Downloading", MIB)
    assert capsys.readouterr().err == "Downloading: 1.0 MiB\n"
