"""Says what goes on, on a terminal and in a log alike: a line a phase, and signs of life in between."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SILENCE = 4.0  # seconds; rich's spinners and bars are silent in a log


class Progress:
    """Prints phases; `seconds` keeps their times by name."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._note = ""
        self.seconds: dict[str, float] = {}

    @property
    def total(self) -> float:
        return round(time.monotonic() - self._started, 1)

    def note(self, text: str) -> None:
        """What the next sign of life says."""
        self._note = f" · {text[:100]}"

    @contextmanager
    def phase(self, name: str, description: str) -> Iterator[None]:
        """Time what happens inside, and show signs of life while it does."""
        print(f"▸ {description}", flush=True)
        self._note = ""
        started, done = time.monotonic(), threading.Event()

        def show_life() -> None:
            while not done.wait(SILENCE):
                print(f"    … {time.monotonic() - started:.0f} s{self._note}", flush=True)

        ticker = threading.Thread(target=show_life, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            done.set()
            ticker.join()
            self.seconds[name] = round(time.monotonic() - started, 1)
        print(f"  ✓ {self.seconds[name]:.1f} s", flush=True)
