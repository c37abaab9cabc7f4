"""Everything each role may do: every action in AWS's catalogue, simulated, as lists for reviewers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.access.policies import Access, Json
from tests.access.request import principal_of
from tests.access.simulator import Simulator

LISTS = Path(__file__).resolve().parents[2] / "docs" / "access"
FREE = "sts:GetCallerIdentity"
WRITTEN = "Written by `python -m tests.access --update`; a test compares it with the synthesized policies."


def lists(access: Access, simulator: Simulator) -> tuple[dict[str, str], int]:
    """The lists by file name, and how many actions were tried for each role."""
    answers = sweep(access, list(access.roles), simulator)
    found = {
        f"{role.name.replace('/', '-')}.md": _page(access, arn, answer["allowed"])
        for (arn, role), answer in zip(access.roles.items(), answers, strict=True)
    }
    return {**found, "resource-policies.md": _resource_policies(access)}, answers[0]["actions"]


def differences(found: dict[str, str]) -> list[str]:
    """What differs from the committed lists, a line each."""
    committed = {path.name: path.read_text() for path in LISTS.glob("*.md")}
    changes = []
    for name in sorted(found.keys() | committed.keys()):
        now, then = (set(pages.get(name, "").splitlines()) for pages in (found, committed))
        changes += [f"{name}: new: {line}" for line in sorted(now - then)]
        changes += [f"{name}: gone: {line}" for line in sorted(then - now)]
    return changes


def update(found: dict[str, str]) -> None:
    LISTS.mkdir(parents=True, exist_ok=True)
    for path in LISTS.glob("*.md"):
        path.unlink()
    for name, page in found.items():
        (LISTS / name).write_text(page)


def sweep(access: Access, roles: list[str], simulator: Simulator, services: Sequence[str] = ()) -> list[Json]:
    """What the roles' own policies allow. Not their boundaries: they could only take away from it."""
    return simulator.ask(
        [
            {
                "command": "sweep",
                "principal": principal_of(arn),
                "account": arn.split(":")[4],
                "identity": [access.documents[name] for name in access.roles[arn].identity],
                "services": list(services),
            }
            for arn in roles
        ]
    )


def _page(access: Access, arn: str, allowed: list[Any]) -> str:
    role = access.roles[arn]
    reasons: dict[str, str] = {}
    for document in role.identity:
        reasons |= access.reasons[document]

    def why(action: str, resource: str) -> str:
        return "AWS allows it to everyone" if action == FREE else reasons.get(resource, "")

    rows = sorted(
        (
            action,
            resource,
            "; ".join([*_conditions("if", met), *_conditions("unless", unmet)]),
            why(action, resource),
        )
        for action, resource, met, unmet in allowed
    )
    return "\n".join(
        [
            f"# What {role.name} may do",
            "",
            WRITTEN,
            "",
            *(f"Taken by: {line}" for line in _statements(access.documents[f"{role.name} (trust)"])),
            "",
            *_table("action", "resource", "condition", "why a pattern"),
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
        ]
    )


def _resource_policies(access: Access) -> str:
    """What the resources' own policies allow: such an Allow needs no role's consent."""
    lines = ["# What the policies of buckets, keys, queues, topics and event buses allow", "", WRITTEN, ""]
    for name in sorted(set(access.of_resource.values())):
        if "(trust)" not in name:
            lines += [f"- {name}: {line}" for line in _statements(access.documents[name]) or ["nothing"]]
    return "\n".join([*lines, ""])


def _statements(document: Json) -> list[str]:
    return [
        f"{_joined(statement['Principal'])}: {_joined(statement['Action'])}"
        + (f" on {_joined(statement['Resource'])}" if "Resource" in statement else "")
        + "".join(
            f"; if {operator} {key} = {_joined(values)}"
            for operator, keys in sorted(statement.get("Condition", {}).items())
            for key, values in sorted(keys.items())
        )
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
    ]


def _conditions(word: str, found: list[Json]) -> list[str]:
    return [f"{word} {c['op']} {c['key']} = {_joined(c['values'])}" for c in found]


def _joined(values: Any) -> str:
    if isinstance(values, dict):
        return ", ".join(_joined(value) for value in values.values())
    return ", ".join(values) if isinstance(values, list) else str(values)


def _table(*columns: str) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
