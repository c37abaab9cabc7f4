"""The budget that watches what carries the tag."""

import pytest
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

from tests.stacks.conftest import normalised, resources


def test_the_template_is_the_reviewed_one(costs: Template, snapshot: SnapshotAssertion) -> None:
    assert normalised(costs) == snapshot


@pytest.mark.parametrize(("kind", "threshold"), [("ACTUAL", 80), ("FORECASTED", 100)])
def test_the_budget_watches_what_carries_the_tag(costs: Template, kind: str, threshold: int) -> None:
    (budget,) = resources(costs, "AWS::Budgets::Budget").values()
    assert budget["Properties"]["Budget"]["CostFilters"] == {"TagKeyValue": ["user:project$causeway"]}
    notified = [n["Notification"] for n in budget["Properties"]["NotificationsWithSubscribers"]]
    assert (kind, threshold) in {(n["NotificationType"], n["Threshold"]) for n in notified}
