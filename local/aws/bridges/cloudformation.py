"""Templates: budgets and trails, which only the emulator's own services know, and secrets by their ARN."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import budgets, cloudtrail, secretsmanager
from ministack.services.cloudformation import provisioners

PRIVATE = {
    provisioners: ("_RESOURCE_HANDLERS",),
    budgets: ("_create_budget", "_delete_budget"),
    secretsmanager: ("_resolve",),
    cloudtrail: ("_create_trail", "_delete_trail", "_put_event_selectors", "_start_logging"),
}


def install() -> None:
    provisioners._RESOURCE_HANDLERS["AWS::Budgets::Budget"] = {
        "create": _create_budget,
        "update": _update_budget,
        "delete": _delete_budget,
    }
    provisioners._RESOURCE_HANDLERS["AWS::CloudTrail::Trail"] = {
        "create": _create_trail,
        "delete": lambda name, _properties: cloudtrail._delete_trail({"Name": name}),
    }
    _refer_to_secrets_by_arn(provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"])


def _refer_to_secrets_by_arn(handlers: dict[str, Any]) -> None:
    """A Ref of a secret is its ARN; the emulator's is its name, which no policy can allow."""
    create, update, delete = (handlers[name] for name in ("create", "update", "delete"))

    def created(*request: Any) -> tuple[str, dict[str, str]]:
        _name, attributes = create(*request)
        return attributes["Arn"], attributes

    def updated(arn: str, *request: Any, **more: Any) -> tuple[str, dict[str, str]]:
        _name, attributes = update(secretsmanager._resolve(arn)[0], *request, **more)
        return attributes["Arn"], attributes

    def deleted(arn: str, properties: Any) -> None:
        delete(secretsmanager._resolve(arn)[0], properties)

    handlers |= {"create": created, "update": updated, "delete": deleted}


# A handler returns the resource's physical id and its attributes.
def _create_budget(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    # The properties are left as they are: another deployment compares them with its own.
    name: str = properties["Budget"].get("BudgetName", f"{stack}-{logical_id}")
    budget = {**properties["Budget"], "BudgetName": name}
    tags = properties.get("ResourceTags", [])
    _call(budgets._create_budget, {**properties, "Budget": budget, "ResourceTags": tags})
    return name, {}


def _update_budget(name: str, old: Any, new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    _delete_budget(name, old)
    return _create_budget("", {**new, "Budget": {**new["Budget"], "BudgetName": name}}, stack)


def _delete_budget(name: str, _properties: Any) -> None:
    budgets._delete_budget({"BudgetName": name})


def _create_trail(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    name: str = properties["TrailName"]
    trail = _call(cloudtrail._create_trail, {**properties, "Name": name})
    selectors = properties["EventSelectors"]
    _call(cloudtrail._put_event_selectors, {"TrailName": name, "EventSelectors": selectors})
    _call(cloudtrail._start_logging, {"Name": name})
    return name, {"Arn": trail["TrailARN"]}


def _call(operation: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> dict[str, Any]:
    """The response of one of the emulator's operations; an error fails the resource that needs it."""
    status, _headers, body = operation(request)
    response: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise ValueError(f"{operation.__name__}: {response}")
    return response
