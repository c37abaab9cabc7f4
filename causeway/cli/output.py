"""How far long work is, on stderr: a line that counts on a terminal, elsewhere a line every few seconds."""

import sys
import time
from typing import TextIO

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
