"""Every single edit of the policies between two accounts that would weaken or break them, and who notices."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.access.intent import Granted, Intent, broken, decide
from tests.access.policies import Access, Json
from tests.access.request import Check, involved
from tests.access.simulator import Simulator
from tests.access.sweep import sweep

# What the partner's requests meet, and all that is in its own account; and what applications meet.
PARTNER_FACING = (
    "causeway-partner/",
    "causeway-lake/",
    "causeway-training/",
    "causeway-store/Applications",
    "causeway-store/Partner/",
)
# Edits that change nothing, by what their names begin and end with, and why.
EQUIVALENT = {
    ("causeway-partner/", "principal widened to anyone"): "aws:PrincipalArn names the account again",
    (
        "causeway-partner/",
        "aws:PrincipalArn only if it exists",
    ): "AWS always gives it; the anonymous have no role",
    ("causeway-store/", "principal widened to anyone"): "aws:PrincipalArn names the account again",
    ("causeway-store/", "aws:PrincipalArn only if it exists"): "AWS always gives it",
    ("causeway-partner/Programmatic (trust): 0", "widened to sts:*"): "only AssumeRole knows an external id",
    ("causeway-store/Partner/Store (trust): 0", "widened to sts:*"): "only AssumeRole knows an external id",
    ("causeway-training/NewsPolicy", "widened to events:*"): "only PutEvents says source and type to a bus",
    (
        "causeway-training/NewsPolicy",
        "only if it exists",
    ): "ForAllValues passes what is absent, and Null knows no IfExists",
    **{
        (
            "causeway-training/",
            f"model-package-group/causeway-{model}",
        ): "AWS's catalogue asks of the packages alone; the embedded AWS of their group"
        for model in ("late", "spam")
    },
}
CHUNK = 12


@dataclass(frozen=True)
class Mutant:
    """A document with one statement edited. Its name says how."""

    name: str
    document: str
    edited: Json
    services: frozenset[str]

    def why_equivalent(self) -> str | None:
        found = (
            why
            for (start, end), why in EQUIVALENT.items()
            if self.name.startswith(start) and self.name.endswith(end)
        )
        return next(found, None)


def mutants(access: Access, beside: Access | None = None) -> Iterator[Mutant]:
    """Every mutant of every partner-facing statement that is not also in the policies `beside` these."""
    for name, document in sorted(access.documents.items()):
        if not name.startswith(PARTNER_FACING):
            continue
        known = beside.documents.get(name, {"Statement": []})["Statement"] if beside else []
        for number, statement in enumerate(document["Statement"]):
            if statement in known:
                continue
            for edit, edited in _edits(statement):
                statements = [*document["Statement"]]
                statements[number : number + 1] = [edited] if edited else []
                if statements:
                    label = f"{name}: {statement.get('Sid', number)}: {edit}"
                    yield Mutant(label, name, {**document, "Statement": statements}, _services(statement))


def survivors(
    access: Access, edits: Iterable[Mutant], intents: list[Intent], simulator: Simulator
) -> list[Mutant]:
    """The mutants that nobody notices.

    Intents notice first. The lists of what each role may do notice what is left of its own policies.
    """
    checks = {check.key: check for intent in intents for check in intent.checks()}
    granted = decide(access, checks.values(), simulator)
    left = []
    for mutant in edits:
        concerned = [check for check in checks.values() if mutant.document in involved(access, check)]
        changed = access.changed(mutant.document, mutant.edited)
        noticed = _noticed(changed, concerned, intents, granted, simulator)
        if not noticed and not _listed(access, changed, mutant, simulator):
            left.append(mutant)
    return left


def _noticed(
    changed: Access, checks: list[Check], intents: list[Intent], granted: Granted, simulator: Simulator
) -> bool:
    """In chunks, because most mutants are noticed early."""
    for start in range(0, len(checks), CHUNK):
        granted = granted | decide(changed, checks[start : start + CHUNK], simulator)
        if broken(intents, granted):
            return True
    return False


def _listed(access: Access, changed: Access, mutant: Mutant, simulator: Simulator) -> bool:
    roles = [arn for arn, role in access.roles.items() if mutant.document in role.identity][:1]
    now, then = (sweep(policies, roles, simulator, sorted(mutant.services)) for policies in (changed, access))
    return now != then


def _services(statement: Json) -> frozenset[str]:
    actions: Any = statement.get("Action", statement.get("NotAction"))
    return frozenset(
        action.partition(":")[0] for action in (actions if isinstance(actions, list) else [actions])
    )


def _edits(statement: Json) -> Iterator[tuple[str, Json | None]]:
    yield "dropped", None
    for key in ("Action", "NotAction", "Resource", "NotResource"):
        yield from _list_edits(statement, key)
    if "Principal" in statement and statement["Effect"] == "Allow":
        yield "principal widened to anyone", {**statement, "Principal": {"AWS": "*"}}
    if statement["Effect"] == "Deny" and statement.get("Action") in ("s3:*", "kms:*"):
        for fewer in ("Get*", "List*", "Put*", "De*"):
            action = statement["Action"].replace("*", fewer)
            yield f"only {action}", {**statement, "Action": action}
    for operator, conditions in statement.get("Condition", {}).items():
        for key, values in conditions.items():
            yield from _condition_edits(statement, operator, key, values)


def _list_edits(statement: Json, key: str) -> Iterator[tuple[str, Json]]:
    """Without one of several; with one made wider, where that allows more: not what a Deny denies."""
    if key not in statement:
        return
    values = statement[key] if isinstance(statement[key], list) else [statement[key]]
    for value in values:
        rest = [other for other in values if other != value]
        if rest:
            yield f"{key} without {value}", {**statement, key: rest}
        if (statement["Effect"] == "Allow") == (not key.startswith("Not")):
            for wider in _wider(statement, key, value):
                yield f"{key} {value} widened to {wider}", {**statement, key: [*rest, wider]}


def _wider(statement: Json, key: str, value: str) -> list[str]:
    if key.endswith("Action"):
        return [] if value.endswith("*") else [f"{value.partition(':')[0]}:*"]
    parent = [value.rsplit("/", 2)[0] + "/*"] if value.count("/") > 1 else []
    # A resource's policy is about that resource, however wide its patterns are.
    everything = [] if "Principal" in statement else ["*"]
    return [pattern for pattern in [*parent, *everything] if pattern != value]


def _condition_edits(statement: Json, operator: str, key: str, values: object) -> Iterator[tuple[str, Json]]:
    def edited(changes: Json) -> Json:
        condition = copy.deepcopy(statement["Condition"])
        del condition[operator][key]
        for name, value in changes.items():
            condition.setdefault(name, {})[key] = value
        condition = {name: keys for name, keys in condition.items() if keys}
        without = {name: value for name, value in statement.items() if name != "Condition"}
        return {**without, "Condition": condition} if condition else without

    label = f"{operator} {key}"
    yield f"{label} dropped", edited({})
    if statement["Effect"] == "Allow":
        yield f"{label} only if it exists", edited({f"{operator}IfExists": values})
    if isinstance(values, list) and len(values) > 1:
        for value in values:
            yield (
                f"{label} without {value}",
                edited({operator: [other for other in values if other != value]}),
            )
    if operator in ("StringEquals", "ArnEquals", "StringLike", "ArnLike") and statement["Effect"] == "Allow":
        anything = {
            operator.replace("Equals", "Like"): "*" if operator.startswith("String") else "arn:*:*:*:*:*"
        }
        yield f"{label} widened to anything", edited(anything)
