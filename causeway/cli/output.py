"""What commands print: tables, progress, one JSON object; colour on a terminal alone."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

FORMAT_VERSION = 1  # of the JSON objects; a key that goes or changes its meaning raises it
WIDTH = 10_000  # characters of a line where no terminal says how many there are
EVERY = {True: 0.2, False: 5.0}  # seconds between two signs of progress, by whether it is a terminal
COUNTED = "A row counts once for each of its faults; causeway explain CODE says what a code means."
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class Exit(IntEnum):
    """What a command's exit status says."""

    FINE = 0
    ATTENTION = 1  # it did its work, and found what needs a person
    FAILED = 2  # it could not do its work
    INTERRUPTED = 130


def answer(document: Mapping[str, Any], text: Callable[[], Iterable[RenderableType]], as_json: bool) -> None:
    """Print the document as JSON, or what `text` makes of it for a person."""
    if as_json:
        print(json.dumps({"format_version": FORMAT_VERSION, **document}, ensure_ascii=False))
    else:
        show(*text())


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """`| head` has read enough: print no more, and go on to the command's own exit (rich's is 1)."""
        with contextlib.suppress(SystemExit):
            super().on_broken_pipe()


def show(*lines: RenderableType) -> None:
    """Print texts as they are, and tables."""
    console = _Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    for line in lines:
        console.print(Text(line) if isinstance(line, str) else line, soft_wrap=isinstance(line, str))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Rows in columns: words to the left, numbers to the right with a comma between thousands."""
    drawn, listed = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0)), [list(row) for row in rows]
    for i, name in enumerate(header):
        numbers = bool(listed) and isinstance(listed[0][i], int | float)
        drawn.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in listed:
        drawn.add_row(*(Text(f"{cell:,}" if isinstance(cell, int | float) else str(cell)) for cell in row))
    return drawn


def printable(text: str) -> str:
    """The text without what a terminal would obey: it may come from a file, a key or a message."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Progress:
    """How far long work is, on stderr: a line that counts on a terminal, elsewhere one every few seconds.

    `unit` names what is counted. Use it as a context manager. (rich would say nothing in a log.)
    """

    def __init__(self, unit: str, stream: TextIO | None = None) -> None:
        self._unit, self._stream = unit, stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._started = self._shown = time.monotonic()
        self._wrote = False
        self.done = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._wrote and self._terminal:
            print(file=self._stream)

    def add(self, more: int, note: str = "") -> None:
        self.done += more
        now = time.monotonic()
        if now - self._shown < EVERY[self._terminal]:
            return
        self._shown, self._wrote = now, True
        line = f"{self.done:,} {self._unit}, {self.done / (now - self._started):,.0f}/s{note}"
        # On a terminal each line takes the place of the one before.
        before, after = ("\r\x1b[K", "") if self._terminal else ("", "\n")
        print(f"{before}{line}", end=after, file=self._stream, flush=True)
