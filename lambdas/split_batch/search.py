"""The search for a batch's poison, the objects that kill its job: which of its sources to run next.

The whole batch runs once more first: most of what kills a job, a machine that is lost, passes by itself.
Then halving: a part that fails holds poison; a part that commits holds none, so its other half must, and is
halved in turn. An object that fails alone twice is poison: once may be the machine's fault. What
halving leaves aside runs in the end, together with the quarantine of the poison. For one poison object
among n that is at most ceil(log2 n) + 4 runs beyond the first that failed, and 2 if it is the only one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

# So many poison objects in a row, without one run that succeeded, look as if it were not the objects: a run
# that reads none, and only quarantines those, must show then that the job itself works.
MAX_IN_A_ROW = 3
MAX_RUNS = 100


class GivenUp(Exception):  # noqa: N818 - it names what the execution ends with
    """The batch cannot be helped by leaving objects out; a person must look."""


@dataclass(frozen=True)
class Search:
    """Where the search stands. Numbers are places in the manifest's sorted sources."""

    suspects: tuple[int, ...]  # at least one of them is poison, as far as one can tell
    running: tuple[int, ...]  # what runs now
    aside: tuple[int, ...] = ()  # not run yet
    poison: tuple[int, ...] = ()
    deaths: tuple[str, ...] = ()  # what the job died of, each time that it had one of the poison alone
    runs: int = 1
    again: bool = False  # what runs now has failed before, and runs once more
    died: str = ""  # of what, if so
    innocent: bool = False  # some run succeeded: the job itself works
    done: bool = False

    @classmethod
    def begin(cls, sources: int) -> Search:
        """The whole batch ran, and its outcome is to be told to `after`."""
        everything = tuple(range(sources))
        return cls(everything, everything)

    @property
    def quarantines(self) -> dict[int, str]:
        """The poison that the run in progress quarantines (only the last ones do), and what it killed.

        A search that began before deaths were kept has poison without them.
        """
        if self.suspects:
            return {}
        unknown = ("unknown",) * (len(self.poison) - len(self.deaths))
        return dict(zip(self.poison, (*unknown, *self.deaths), strict=True))

    def after(self, *, failed: bool, cause: str = "", passing: bool = True) -> Search:
        """What to run next, now that what ran has failed or committed. Raises GivenUp.

        `cause`: what it died of. `passing`: the same run may do better.
        """
        if self.runs >= MAX_RUNS:
            raise GivenUp(f"the batch was split {self.runs} times; poison so far: {len(self.poison)}")
        search = replace(self, runs=self.runs + 1, again=False, died="", innocent=self.innocent or not failed)
        if not failed:
            return search._after_success()
        alone, whole = len(self.running) == 1, self.runs == 1
        if not self.again and (alone or (whole and passing)):
            return search._narrow(again=True, died=cause)
        deaths = f"{self.died or 'unknown'}; then {cause or 'unknown'}"
        return search._after_failure(deaths if alone else None)

    def _narrow(self, **changes: Any) -> Search:
        """What failed is suspect, and what else was suspect is not run for now."""
        left = tuple(n for n in self.suspects if n not in self.running)
        return replace(self, suspects=self.running, aside=self.aside + left, **changes)

    def _after_failure(self, deaths: str | None) -> Search:
        if not self.running:
            raise GivenUp("quarantining objects unread fails too: it is not the objects")
        if deaths is None:
            return self._narrow()._halve()
        poison, died = (*self.poison, *self.running), (*self.deaths, deaths)
        return self._narrow(poison=poison, deaths=died)._finish()

    def _after_success(self) -> Search:
        left = tuple(n for n in self.suspects if n not in self.running)
        if left:
            return replace(self, suspects=left)._halve()
        if self.aside or (self.suspects and self.poison):
            return self._finish()
        return replace(self, done=True)

    def _halve(self) -> Search:
        half = -(-len(self.suspects) // 2)
        return replace(self, running=self.suspects[:half])

    def _finish(self) -> Search:
        """Quarantine the poison, with all that is left to run; without it when the job may be at fault."""
        if len(self.poison) >= MAX_IN_A_ROW and not self.innocent:
            return replace(self, suspects=(), running=())
        return replace(self, suspects=(), running=self.aside, aside=())

    def to_json(self) -> dict[str, Any]:
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Search:
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in document.items()}
        return cls(**values)
