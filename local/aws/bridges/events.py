"""Events that cross accounts, as far as bus policy and role allow; the emulator drops them silently."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

PRIVATE = {
    iam_evaluator: ("EvalContext", "_gather_role_policies", "evaluate", "evaluate_resource_policy"),
    responses: ("get_account_id", "request_scope"),
    eventbridge: (
        "_dispatch_to_event_bus",
        "_event_bus_policies",
        "_remove_permission",
        "_rule_key",
        "_targets",
    ),
    provisioners: ("_RESOURCE_HANDLERS",),
}
Policy = dict[str, Any]


def install() -> None:
    eventbridge._dispatch_to_event_bus = partial(_deliver, eventbridge._dispatch_to_event_bus)
    provisioners._RESOURCE_HANDLERS["AWS::Events::EventBusPolicy"] = {
        "create": _create_statement,
        "delete": _delete_statement,
    }


def _deliver(deliver: Callable[..., None], bus: Any, event: Any, rule: dict[str, Any], *rest: Any) -> None:
    """Deliver the event, in the name of the bus's account when that is another one, and allows it."""
    if bus.account_id == responses.get_account_id() or not bus.resource.startswith("event-bus/"):
        return deliver(bus, event, rule, *rest)
    request = _request(bus, _role(bus, rule), event)
    with responses.request_scope(bus.account_id, bus.region):
        policy = eventbridge._event_bus_policies.get(bus.resource.removeprefix("event-bus/"))
        if request and iam_evaluator.evaluate_resource_policy(_named(policy), request).decision == "Allow":
            deliver(bus, event, rule, *rest)
    return None


def _role(bus: Any, rule: dict[str, Any]) -> str:
    """The name of the role with which the rule sends to the bus; empty when it has none, as no role has."""
    key = eventbridge._rule_key(rule["Name"], rule.get("EventBusName", "default"))
    targets = [target for target in eventbridge._targets.get(key, []) if target["Arn"] == str(bus)]
    arn: str = targets[0].get("RoleArn", "") if targets else ""
    return arn.rpartition("/")[2]


def _request(bus: Any, role: str, event: Any) -> Any:
    """The role's request to put events, for the bus's policy to judge; None when the role may not."""
    account = responses.get_account_id()
    request = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/events",
        principal_type="AssumedRole",
        principal_account=account,
        action="events:PutEvents",
        resource_arn=str(bus),
        region=bus.region,
        service_context={"events:source": event["Source"], "events:detail-type": event["DetailType"]},
    )
    policies = iam_evaluator._gather_role_policies(role, account)
    return request if iam_evaluator.evaluate(request, policies).decision == "Allow" else None


def _named(policy: Policy | None) -> Policy:
    """The policy with the bare numbers of accounts, as PutPermission keeps them, spelt as principals."""
    statements = (policy or {}).get("Statement", [])
    return {"Statement": [{**item, "Principal": _principal(item.get("Principal"))} for item in statements]}


def _principal(principal: Any) -> Any:
    return {"AWS": principal} if isinstance(principal, str) else principal


# A handler returns the resource's physical id and its attributes.
def _create_statement(_logical_id: str, properties: Policy, _stack: str) -> tuple[str, dict[str, str]]:
    """Put the statement into the bus's policy, in place of the one of its name."""
    bus, name = properties.get("EventBusName", "default"), properties["StatementId"]
    arn = f"arn:aws:events:{responses.get_region()}:{responses.get_account_id()}:event-bus/{bus}"
    # Either a whole statement, or the parts of one.
    parts = {key: properties[key] for key in ("Action", "Principal", "Condition") if key in properties}
    statement = properties.get("Statement") or {"Effect": "Allow", "Resource": arn, **parts}
    _delete_statement(name, properties)
    policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
    policy["Statement"].append({**statement, "Sid": name})
    return f"{bus}|{name}", {}


def _delete_statement(_physical_id: str, properties: Policy) -> None:
    request = {
        "EventBusName": properties.get("EventBusName", "default"),
        "StatementId": properties["StatementId"],
    }
    eventbridge._remove_permission(request)
