"""What a request is checked against: its action, its resource, its principal, its transport."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam

PRIVATE = {
    app: ("pin_request_origin",),
    iam_actions: ("extract_iam_action", "extract_resource_arn"),
    iam_evaluator: ("_resolve_condition_key",),
    iam: ("_roles",),
}
CATALOG_CALLS = ("GetDatabase", "GetTable", "CreateTable", "UpdateTable", "DeleteTable")


def install() -> None:
    # Policies deny plain HTTP; over loopback there is nothing to listen in on.
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)
    iam_actions.extract_iam_action = partial(_action, iam_actions.extract_iam_action)
    iam_actions.extract_resource_arn = partial(_resource, iam_actions.extract_resource_arn)
    iam_evaluator._resolve_condition_key = partial(_condition_key, iam_evaluator._resolve_condition_key)


def _action(extract: Callable[..., str | None], *request: Any) -> str | None:
    """SQS asks for the permission to send a message, however many are sent at once."""
    action = extract(*request)
    return action.removesuffix("Batch") if action and action.startswith("sqs:") else action


def _resource(extract: Callable[..., str], service: str, *request: Any) -> str:
    """Which catalog resource a Glue call is checked against.

    The emulator takes the name in GetDatabase for a table's, and checks calls on a table against its
    database alone. (AWS checks catalog, database and table, each.)
    """
    arn = extract(service, *request)
    _method, _path, headers, body, *_ = request
    call = headers.get("x-amz-target", "").rpartition(".")[2]
    if service != "glue" or call not in CATALOG_CALLS:
        return arn
    parameters = json.loads(body)
    if call == "GetDatabase":
        resource = f"database/{parameters['Name']}"
    else:
        table = parameters.get("TableInput", parameters).get("Name", "*")
        resource = f"table/{parameters['DatabaseName']}/{table}"
    return ":".join([*arn.split(":")[:5], resource])


def _condition_key(resolve: Callable[..., Any], key: str, context: Any) -> Any:
    """aws:PrincipalArn of a role's session is the role, path and all; the emulator says the session."""
    value = resolve(key, context)
    if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
        return value
    role = iam._roles.get_scoped(context.principal_account, None, value.split("/")[1])
    return role["Arn"] if role else value
