"""How far long work is, on stderr: a line that counts on a terminal, elsewhere a line every few seconds."""

import io
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 200  # columns of a table where no terminal says how many there are


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as text: words to the left, numbers to the right, with a comma between thousands."""
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    listed = [list(row) for row in rows]
    for i, name in enumerate(header):
        numbers = bool(listed) and all(isinstance(row[i], int | float) for row in listed)
        drawn.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for row in listed:
        drawn.add_row(*(Text(f"{cell:,}" if isinstance(cell, int | float) else str(cell)) for cell in row))
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    console.print(drawn)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # a StringIO
    return "\n".join(line.rstrip() for line in lines if line.strip())


EVERY = {True: 0.2, False: 5.0}  # seconds, by whether somebody watches a terminal


class Meter:
    """`done` things so far, `what` they are. Use it as a context manager."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what, self._stream = what, stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._started = self._said = time.monotonic()
        self._wrote = False
        self.done = 0

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._wrote and self._terminal:
            print(file=self._stream)

    def add(self, more: int, note: str = "") -> None:
        self.done += more
        now = time.monotonic()
        if now - self._said < EVERY[self._terminal]:
            return
        self._said, self._wrote = now, True
        rate = self.done / (now - self._started)
        line = f"{self.done:,} {self._what}, {rate:,.0f}/s{note}"
        # On a terminal each line takes the place of the one before.
        print(f"\r\x1b[K{line}" if self._terminal else line, end="" if self._terminal else "\n",
              file=self._stream, flush=True)  # fmt: skip
