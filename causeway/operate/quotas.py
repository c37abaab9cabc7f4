"""Whether the account's quota takes the language model's instances: asked before they are deployed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from causeway.operate.explain import explain
from causeway.operate.sizing import chosen, workload_in
from causeway.settings import Settings

SERVICE = "sagemaker"


@dataclass(frozen=True)
class Quota:
    """How many such instances all endpoints of the region may have; `trouble` is why nobody can say."""

    instance: str
    needed: int
    allowed: int = 0
    code: str = ""
    trouble: str = ""

    @property
    def enough(self) -> bool:
        return not self.trouble and self.allowed >= self.needed

    def text(self, region: str) -> str:
        """For people: the outcome, and what to do."""
        if self.trouble:
            return f"{self.instance}: the quota cannot be read: {self.trouble}"
        told = f"{self.instance}: {self.allowed} allowed to all endpoints of {region}, {self.needed} needed"
        if self.enough:
            return f"{told}: enough"
        return (
            f"{told}; ask for more: aws service-quotas request-service-quota-increase --region {region} "
            f"--service-code {SERVICE} --quota-code {self.code} --desired-value {self.needed}"
        )


def quota_for(settings: Settings, session: Any) -> Quota:
    """Of the instance that the settings' model is sized to. Raises SizingError."""
    asked = settings.inference
    instance = chosen(workload_in(asked)).instance.name
    return quota_of(session.client("service-quotas"), instance, asked.max_instances)


def quota_of(client: Any, instance: str, needed: int) -> Quota:
    """By Service Quotas: the account's own value, or AWS's default where it has none."""
    name = f"{instance} for endpoint usage"
    try:
        for listed in ("list_service_quotas", "list_aws_default_service_quotas"):
            for quota in _listed(client, listed):
                if quota["QuotaName"] == name:
                    return Quota(instance, needed, int(quota["Value"]), quota["QuotaCode"])
    except (BotoCoreError, ClientError) as error:
        return Quota(instance, needed, trouble=explain(error))
    return Quota(instance, needed, trouble="Service Quotas lists none of that name; is it in this region?")


def _listed(client: Any, operation: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(ServiceCode=SERVICE):
        yield from page["Quotas"]
