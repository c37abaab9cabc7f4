"""Long work shows how far it is: on a terminal one line that counts, in a log one every few seconds.

A reader that stops reading does not change what a command does.
"""

import io
import os

import pytest

from causeway.cli.output import Progress, show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def count(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    now = [0.0]
    monkeypatch.setattr("causeway.cli.output.time.monotonic", lambda: now[0])
    with Progress("looked at", stream) as counted:
        for _ in range(12):
            now[0] += 1
            counted.add(1000, ", 3 due")
    return stream.getvalue()


def test_a_log_has_a_line_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert count(io.StringIO(), monkeypatch).splitlines() == [
        "5,000 looked at, 1,000/s, 3 due",
        "10,000 looked at, 1,000/s, 3 due",
    ]


def test_a_terminal_has_one_line_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = count(Terminal(), monkeypatch)
    assert shown.count("\n") == 1
    assert shown.endswith("\r\x1b[K12,000 looked at, 1,000/s, 3 due\n")


def test_what_is_quickly_done_says_nothing() -> None:
    stream = io.StringIO()
    with Progress("looked at", stream) as counted:
        counted.add(1)
    assert stream.getvalue() == ""


def test_a_reader_that_has_read_enough_does_not_end_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        show("one", "two")
        monkeypatch.undo()
