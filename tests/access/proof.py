"""The three proofs, on the app's own policies."""

from dataclasses import dataclass

from tests.access import mutants, sweep
from tests.access.intent import Intent, broken, decide
from tests.access.intents import intents
from tests.access.mutants import Mutant
from tests.access.policies import DEFAULT, synthesized
from tests.access.simulator import Simulator


@dataclass(frozen=True)
class Lists:
    """What every role may do: the pages, the actions tried for each role, what differs from the committed."""

    pages: dict[str, str]
    actions: int
    differences: list[str]


@dataclass(frozen=True)
class Score:
    """The mutants that there are, and those that nothing notices."""

    tried: list[Mutant]
    survivors: list[Mutant]

    @property
    def mutants(self) -> int:
        return len(self.tried)

    def explained(self) -> set[str]:
        return {mutant.name for mutant in self.tried if mutant.why_equivalent()}

    def unexplained(self) -> list[str]:
        return [mutant.name for mutant in self.survivors if not mutant.why_equivalent()]


def _by_options() -> list[list[Intent]]:
    groups: dict[object, list[Intent]] = {}
    for intent in intents():
        groups.setdefault(intent.options, []).append(intent)
    return list(groups.values())


def intents_broken() -> list[str]:
    lines = []
    with Simulator() as simulator:
        for group in _by_options():
            checks = [check for intent in group for check in intent.checks()]
            lines += broken(group, decide(group[0].access(), checks, simulator))
    return lines


def lists() -> Lists:
    with Simulator() as simulator:
        pages, actions = sweep.lists(synthesized(DEFAULT), simulator)
    return Lists(pages, actions, sweep.differences(pages))


def score() -> Score:
    """Mutants of the policies under the committed settings, and of what the options add to them."""
    default, tried, left = synthesized(DEFAULT), [], []
    with Simulator() as simulator:
        for group in _by_options():
            access = group[0].access()
            edits = list(mutants.mutants(access, None if access is default else default))
            left += mutants.survivors(access, edits, group, simulator)
            tried += edits
    return Score(tried, left)
