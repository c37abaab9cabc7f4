"""Says what is going on: a line a phase, and a sign of life at least every few seconds."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SILENCE = 4.0  # seconds


class Progress:
    """Prints phases with their times to a stream; `seconds` keeps them by name."""

    def __init__(self, stream: object = sys.stdout) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._note = ""
        self.seconds: dict[str, float] = {}

    @property
    def total(self) -> float:
        return round(time.monotonic() - self._started, 1)

    def say(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)  # type: ignore[call-overload]

    def note(self, text: str) -> None:
        """What the next sign of life says."""
        self._note = text

    @contextmanager
    def phase(self, name: str, what: str) -> Iterator[None]:
        """Time what happens inside, and show signs of life while it does."""
        self.say(f"▸ {what}")
        self._note = ""
        started, done = time.monotonic(), threading.Event()

        def live() -> None:
            while not done.wait(SILENCE):
                note = f" · {self._note}" if self._note else ""
                self.say(f"    … {time.monotonic() - started:.0f} s{note}")

        ticker = threading.Thread(target=live, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            done.set()
            ticker.join()
            self.seconds[name] = round(time.monotonic() - started, 1)
        self.say(f"  ✓ {self.seconds[name]:.1f} s")
