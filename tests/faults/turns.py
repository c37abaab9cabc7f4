"""Threads that take turns: an interleaving that a seed decides, and that can be repeated."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable


class Turns:
    """Lets one of several threads run at a time, and hands over at steps as a seed decides."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._condition, self._turn = threading.Condition(), -1
        self._names: dict[int, int] = {}
        self._alive: set[int] = set()

    def run(self, *work: Callable[[], object]) -> list[BaseException]:
        errors: list[BaseException] = []

        def one(number: int, do: Callable[[], object]) -> None:
            self._names[threading.get_ident()] = number
            try:
                self._wait(number)
                do()
            except BaseException as error:
                errors.append(error)
            finally:
                del self._names[threading.get_ident()]  # which the next thread may get
                with self._condition:
                    self._alive.discard(number)
                    self._pass_on()

        self._alive = set(range(len(work)))
        threads = [threading.Thread(target=one, args=(i, do)) for i, do in enumerate(work)]
        for thread in threads:
            thread.start()
        with self._condition:
            self._pass_on()
        for thread in threads:
            thread.join()
        return errors

    def step(self, _: str) -> None:
        number = self._names.get(threading.get_ident())
        if number is None:
            return  # a helper thread of the one whose turn it is
        with self._condition:
            self._pass_on()
        self._wait(number)

    def _pass_on(self) -> None:
        self._turn = self._random.choice(sorted(self._alive)) if self._alive else -1
        self._condition.notify_all()

    def _wait(self, number: int) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._turn == number)
