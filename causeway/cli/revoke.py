"""`causeway revoke`: the partner's access ends now, without a deployment."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from causeway.operate.account import session_of_company
from causeway.settings import load_settings

NAME = "Revoked"
KINDS = ("programmatic", "console")
CLOSED = {"Sid": NAME, "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
NOTHING = {"Sid": NAME, "Effect": "Deny", "Action": "*", "Resource": "*"}


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("revoke", help="end the partner's access at once", description=__doc__)
    parser.add_argument("--only", choices=KINDS, help="one of the two roles")
    parser.add_argument("--undo", action="store_true", help="give it back; sessions from before stay dead")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Needs credentials of the company's account that may change the partner's roles."""
    settings = load_settings()
    iam = session_of_company(settings).client("iam")
    act: Callable[..., None] = restore if options.undo else revoke
    for kind in [options.only] if options.only else KINDS:
        role = f"{settings.project}-{kind}"
        try:
            act(iam, role)
        except iam.exceptions.NoSuchEntityException:
            print(f"{role}: there is no such role")
            continue
        print(f"{role}: {'open to new sessions' if options.undo else 'closed; live sessions are refused'}")
    if options.undo:
        print("partner.revoked in settings.toml must be false, or the next deployment closes it again.")
    else:
        print("To keep it so, say partner.revoked = true in settings.toml and deploy.")
        print("To undo it: python -m causeway revoke --undo")
    return 0


def revoke(iam: Any, role: str) -> None:
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
