"""What AWS's Trusted Advisor says of the account's costs, where the account's support plan has it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from causeway.operate.explain import explain

REGION = "us-east-1"  # of AWS's support
NO_PLAN = "not available on this plan"
AVAILABLE = "available"


def advice(support: Any) -> dict[str, Any]:
    """For the JSON object: `state`, and of all the account each check of costs that flags something."""
    try:
        described = support.describe_trusted_advisor_checks(language="en")["checks"]
        checks = {one["id"]: one["name"] for one in described if one["category"] == "cost_optimizing"}
        asked = support.describe_trusted_advisor_check_summaries(checkIds=sorted(checks))
    except (BotoCoreError, ClientError) as error:
        refused = isinstance(error, ClientError) and error.response["Error"]["Code"]
        return {
            "state": NO_PLAN if refused == "SubscriptionRequiredException" else explain(error),
            "flags": [],
        }
    flags = [
        {
            "check": checks[one["checkId"]],
            "resources": one["resourcesSummary"]["resourcesFlagged"],
            "dollars_a_month": _savings(one),
        }
        for one in asked["summaries"]
        if one.get("hasFlaggedResources")
    ]
    return {"state": AVAILABLE, "checks": len(checks), "flags": flags}


def _savings(summary: dict[str, Any]) -> float:
    saving = summary.get("categorySpecificSummary", {}).get("costOptimizing", {})
    return float(saving.get("estimatedMonthlySavings", 0))
