"""`causeway revoke`: the partner's access ends now, without a deployment."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from causeway.cli.output import Json, answer
from causeway.cli.partner_kit import Partner

NAME = "Revoked"
CLOSED = {"Sid": NAME, "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
NOTHING = {"Sid": NAME, "Effect": "Deny", "Action": "*", "Resource": "*"}


class Kind(StrEnum):
    PROGRAMMATIC = "programmatic"
    CONSOLE = "console"
    STORE = "store"


def revoke(
    only: Annotated[Kind | None, typer.Option(help="One of its roles.")] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Give it back; sessions from before stay dead.")
    ] = False,
    partner: Partner = "",
    as_json: Json = False,
) -> None:
    """End a partner's access at once.

    Needs credentials of the company's account that may change the partner's roles.
    """
    from causeway.operate.account import session_of_company
    from causeway.settings import load_settings, role_prefix

    settings = load_settings()
    key, _ = settings.partner_named(partner)
    iam = session_of_company(settings).client("iam")
    change: Callable[..., None] = restore if undo else close
    roles = {}
    for kind in [only] if only else Kind:
        role = f"{role_prefix(settings, key)}-{kind}"
        try:
            change(iam, role)
            roles[role] = "open" if undo else "closed"
        except iam.exceptions.NoSuchEntityException:
            roles[role] = "missing"
    answer({"roles": roles}, lambda: _text(roles, key, undo), as_json)


def _text(roles: dict[str, str], key: str, undo: bool) -> Iterator[str]:
    states = {
        "open": "open to new sessions",
        "closed": "closed; live sessions are refused",
        "missing": "there is no such role",
    }
    yield from (f"{role}: {states[state]}" for role, state in roles.items())
    if undo:
        yield f"{key}.revoked in settings.toml must be false, or the next deployment closes it again."
    else:
        yield f"To keep it so, say {key}.revoked = true in settings.toml and deploy."
        option = f" --partner {key.removeprefix('partners.')}" if key != "partner" else ""
        yield f"To undo it: causeway revoke --undo{option}"


def close(iam: Any, role: str) -> None:
    """Refuse everything to every session, and let nobody take the role. Doing it twice changes nothing."""
    _put(iam, role, NOTHING)
    _trust(iam, role, [*_trusted(iam, role), CLOSED])


def restore(iam: Any, role: str, at: datetime | None = None) -> None:
    """Let the role be taken again. Sessions given until `at` (now), were they stolen, stay refused."""
    _put(iam, role, older_than(at or datetime.now(UTC)))
    _trust(iam, role, _trusted(iam, role))


def older_than(at: datetime) -> dict[str, Any]:
    """The statement that refuses everything to sessions given until then."""
    until = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**NOTHING, "Condition": {"DateLessThanEquals": {"aws:TokenIssueTime": until}}}


def _trusted(iam: Any, role: str) -> list[Any]:
    statements = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return [statement for statement in statements if statement.get("Sid") != NAME]


def _trust(iam: Any, role: str, statements: list[Any]) -> None:
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=_document(*statements))


def _put(iam: Any, role: str, statement: Any) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=NAME, PolicyDocument=_document(statement))


def _document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
