"""Requests as intents speak of them, and as the simulator wants them."""

import json
import re
from dataclasses import asdict, dataclass, field, replace

from tests.access.policies import Access, Json
from tests.access.resolver import COMPANY

ANYTHING: Json = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Check:
    """One request. `mistaken`: the role's policies were replaced by one that allows everything."""

    principal: str
    action: str
    resource: str
    context: Json = field(default_factory=dict)
    mistaken: bool = False

    @property
    def key(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    def but(self, context: Json) -> "Check":
        """With these context keys changed; None takes one out."""
        return replace(self, context={**self.context, **context})


def question(access: Access, check: Check) -> Json:
    """What the simulator is asked. Roles of the app have their policies, the rest may do anything."""
    role = None if check.mistaken else access.roles.get(check.principal)
    everyone = [] if _is_service(check.principal) else [ANYTHING]
    context = {**_facts(check), **check.context}
    return {
        "command": "decide",
        "principal": principal_of(check.principal),
        "action": check.action,
        "resource": check.resource,
        "account": _owner(access, check),
        "context": {key: value for key, value in context.items() if value is not None},
        "identity": [access.documents[name] for name in role.identity] if role else everyone,
        "boundary": access.documents[role.boundary] if role and role.boundary else None,
        "resourcePolicy": access.documents.get(access.of_resource.get(_named(check.resource), "")),
    }


def involved(access: Access, check: Check) -> set[str]:
    """The documents that decide about it."""
    role = None if check.mistaken else access.roles.get(check.principal)
    documents = {*role.identity, role.boundary} if role else set()
    return {str(name) for name in {*documents, access.of_resource.get(_named(check.resource))} if name}


def principal_of(arn: str) -> str:
    """The session of a role that makes the request; another principal is itself."""
    match = re.fullmatch(r"arn:aws:iam::([0-9]{12}):role/(?:.*/)?([^/]+)", arn)
    return f"arn:aws:sts::{match[1]}:assumed-role/{match[2]}/session" if match else arn


def _is_service(principal: str) -> bool:
    return principal.endswith(".amazonaws.com")


def _named(resource: str) -> str:
    """The resource whose policy counts: an object's bucket."""
    return resource.partition("/")[0] if resource.startswith("arn:aws:s3:::") else resource


def _owner(access: Access, check: Check) -> str:
    if check.resource.startswith("arn:aws:s3:::"):
        bucket = _named(check.resource)
        if packages := re.match(r"arn:aws:s3:::cdk-hnb659fds-assets-([0-9]{12})-", bucket):
            return packages[1]
        return access.accounts.get(access.of_resource.get(bucket, "").partition("/")[0], "444444444444")
    if check.resource != "*":
        return check.resource.split(":")[4]
    return COMPANY if _is_service(check.principal) else check.principal.split(":")[4]


def _facts(check: Check) -> Json:
    """What AWS adds to every request by itself."""
    facts: Json = {"aws:SecureTransport": "true"}
    if check.action.startswith("s3:"):
        facts["s3:TlsVersion"] = "1.3"
    if not _is_service(check.principal):
        facts |= {"aws:PrincipalArn": check.principal, "aws:PrincipalAccount": check.principal.split(":")[4]}
    return facts
