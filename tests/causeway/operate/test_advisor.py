"""Trusted Advisor is read where the support plan has it, and else said not to be there."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from causeway.operate.advisor import AVAILABLE, NO_PLAN, advice

CHECKS = [
    {"id": id_, "name": name, "description": "", "category": category, "metadata": []}
    for id_, name, category in (
        ("a", "Idle load balancers", "cost_optimizing"),
        ("b", "Underused volumes", "cost_optimizing"),
        ("c", "MFA on root", "security"),
    )
]


def summary(check: str, *, flagged: int, dollars: float | None = None) -> dict[str, Any]:
    saved = {} if dollars is None else {"costOptimizing": {
        "estimatedMonthlySavings": dollars, "estimatedPercentMonthlySavings": 0.1,
    }}  # fmt: skip
    counts = {
        "resourcesProcessed": 9,
        "resourcesFlagged": flagged,
        "resourcesIgnored": 0,
        "resourcesSuppressed": 0,
    }
    return {
        "checkId": check, "timestamp": "2026-11-28T00:00:00Z", "status": "warning" if flagged else "ok",
        "hasFlaggedResources": flagged > 0, "resourcesSummary": counts, "categorySpecificSummary": saved,
    }  # fmt: skip


@pytest.fixture
def support() -> Any:
    return boto3.client("support", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def test_checks_of_costs_that_flag_something_are_told_with_what_they_save(support: Any) -> None:
    with Stubber(support) as stub:
        stub.add_response("describe_trusted_advisor_checks", {"checks": CHECKS}, {"language": "en"})
        answer = {"summaries": [summary("a", flagged=2, dollars=31.5), summary("b", flagged=0)]}
        stub.add_response("describe_trusted_advisor_check_summaries", answer, {"checkIds": ["a", "b"]})
        found = advice(support)
    flag = {"check": "Idle load balancers", "resources": 2, "dollars_a_month": 31.5}
    assert found == {"state": AVAILABLE, "checks": 2, "flags": [flag]}


@pytest.mark.parametrize(
    ("code", "state"),
    [("SubscriptionRequiredException", NO_PLAN), ("AccessDeniedException", "may not call DescribeTrusted")],
)
def test_a_plan_without_it_and_a_refusal_are_told_apart(support: Any, code: str, state: str) -> None:
    with Stubber(support) as stub:
        stub.add_client_error("describe_trusted_advisor_checks", code, "no")
        found = advice(support)
    assert state in found["state"]
    assert found["flags"] == []
