"""The tags' activation, against the shapes of botocore's model of the API."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from causeway.flow import billing
from causeway.flow.billing import (
    ACTIVE,
    INACTIVE,
    NOT_STARTED,
    REFUSED,
    TOMORROW,
    WAITING,
    activate,
    command,
    look,
)

NOW = datetime(2026, 3, 5, 6, tzinfo=UTC)
KEYS = ["project", "owner"]
ASKED = {"TagKeys": KEYS, "Type": "UserDefined"}
YESTERDAY = "2026-03-04T00:00:00Z"


@pytest.fixture
def ce(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """What is asked, in this order and no more."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with Stubber(boto3.client("ce", region_name="us-east-1")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def lists(ce: Stubber, **states: str) -> None:
    tags = [
        {"TagKey": key, "Type": "UserDefined", "Status": state, "LastUpdatedDate": YESTERDAY}
        for key, state in states.items()
    ]
    ce.add_response("list_cost_allocation_tags", {"CostAllocationTags": tags}, ASKED)


def updates(ce: Stubber, *keys: str, errors: Any = ()) -> None:
    wanted = [{"TagKey": key, "Status": "Active"} for key in keys]
    asked = {"CostAllocationTagsStatus": wanted}
    ce.add_response("update_cost_allocation_tags_status", {"Errors": list(errors)}, asked)


def has_asked(ce: Stubber, *times: str, status: str = "SUCCEEDED") -> None:
    asked = [{"RequestedAt": time, "BackfillStatus": status} for time in times]
    ce.add_response("list_cost_allocation_tag_backfill_history", {"BackfillRequests": asked}, {})


def starts(ce: Stubber) -> None:
    answer = {"BackfillRequest": {"BackfillStatus": "PROCESSING", "RequestedAt": "2026-03-05T06:00:00Z"}}
    ce.add_response("start_cost_allocation_tag_backfill", answer, {"BackfillFrom": "2025-04-01T00:00:00Z"})


def test_what_billing_does_not_list_yet_waits(ce: Stubber) -> None:
    lists(ce)
    found = activate(ce.client, KEYS, NOW)
    assert (found.state, found.keys) == (WAITING, dict.fromkeys(KEYS, WAITING))


def test_what_it_lists_is_activated_while_the_other_waits(ce: Stubber) -> None:
    lists(ce, owner="Inactive")
    updates(ce, "owner")
    found = activate(ce.client, KEYS, NOW)
    assert (found.state, found.keys) == (WAITING, {"project": WAITING, "owner": ACTIVE})


def test_when_the_last_is_activated_the_months_before_are_divided_too(ce: Stubber) -> None:
    lists(ce, project="Active", owner="Inactive")
    updates(ce, "owner")
    starts(ce)
    found = activate(ce.client, KEYS, NOW)
    assert (found.state, found.backfill) == (ACTIVE, "processing")


def test_that_is_asked_for_once(ce: Stubber) -> None:
    lists(ce, project="Active", owner="Active")
    has_asked(ce, "2026-03-04T06:00:00Z")
    assert activate(ce.client, KEYS, NOW).backfill == "succeeded"


def test_what_was_asked_for_before_our_tags_were_active_does_not_count(ce: Stubber) -> None:
    lists(ce, project="Active", owner="Active")
    has_asked(ce, "2025-12-31T00:00:00Z", "2026-03-03T23:59:59Z")
    starts(ce)
    assert activate(ce.client, KEYS, NOW).backfill == "processing"


def test_a_day_on_which_no_more_may_be_asked_for_is_no_failure(ce: Stubber) -> None:
    lists(ce, project="Active", owner="Active")
    has_asked(ce)
    ce.add_client_error("start_cost_allocation_tag_backfill", "BackfillLimitExceededException")
    found = activate(ce.client, KEYS, NOW)
    assert (found.state, found.backfill) == (ACTIVE, TOMORROW)


def test_a_key_that_is_refused_in_an_answer_of_200_is_told_and_the_others_are_active(ce: Stubber) -> None:
    lists(ce, project="Inactive", owner="Inactive")
    refusal = {"TagKey": "owner", "Code": "TagKeysNotFound", "Message": "no such key"}
    updates(ce, "project", "owner", errors=[refusal])
    found = activate(ce.client, KEYS, NOW)
    assert (found.state, found.keys) == (REFUSED, {"project": ACTIVE, "owner": REFUSED})
    assert found.reasons == {"owner": "TagKeysNotFound: no such key"}
    assert found.backfill == NOT_STARTED


@pytest.mark.parametrize("call", ["list_cost_allocation_tags", "update_cost_allocation_tags_status"])
def test_an_account_that_does_not_pay_is_told_to_ask_the_one_that_does(ce: Stubber, call: str) -> None:
    if call != "list_cost_allocation_tags":
        lists(ce, project="Inactive", owner="Inactive")
    ce.add_client_error(call, "AccessDeniedException", "Linked account doesn't have access")
    found = activate(ce.client, KEYS, NOW)
    assert (found.state, found.keys) == (REFUSED, dict.fromkeys(KEYS, REFUSED))
    assert "Linked account" in found.reasons["project"]


def test_what_is_no_refusal_is_raised_and_the_next_day_tries_again(ce: Stubber) -> None:
    ce.add_client_error("list_cost_allocation_tags", "LimitExceededException")
    with pytest.raises(ClientError, match="LimitExceeded"):
        activate(ce.client, KEYS, NOW)


def test_no_more_keys_are_asked_for_at_once_than_the_api_takes(ce: Stubber) -> None:
    keys = [f"k{n:02}" for n in range(45)]
    tags = [{"TagKey": key, "Type": "UserDefined", "Status": "Inactive"} for key in keys]
    asked = {"TagKeys": keys, "Type": "UserDefined"}
    first = {"CostAllocationTags": tags[:30], "NextToken": "more"}
    ce.add_response("list_cost_allocation_tags", first, asked)
    ce.add_response(
        "list_cost_allocation_tags", {"CostAllocationTags": tags[30:]}, {**asked, "NextToken": "more"}
    )
    for begin in (0, 20, 40):
        updates(ce, *keys[begin : begin + 20])
    starts(ce)
    assert activate(ce.client, keys, NOW).state == ACTIVE


def test_looking_changes_nothing(ce: Stubber) -> None:
    lists(ce, project="Inactive")
    found = look(ce.client, KEYS)
    assert found.keys == {"project": INACTIVE, "owner": WAITING}


@pytest.mark.parametrize(("month", "begin"), [(1, "2025-02"), (12, "2026-01"), (6, "2025-07")])
def test_the_months_before_begin_where_billing_goes_back_to(month: int, begin: str) -> None:
    class Ce:
        exceptions = boto3.client("ce", region_name="us-east-1").exceptions

        def start_cost_allocation_tag_backfill(self, **asked: str) -> Any:
            assert asked == {"BackfillFrom": f"{begin}-01T00:00:00Z"}
            return {"BackfillRequest": {"BackfillStatus": "PROCESSING"}}

    assert billing._start_backfill(Ce(), NOW.replace(month=month)) == "processing"


def test_the_command_is_one_that_a_shell_runs() -> None:
    assert command(["cost centre", "owner"]) == (
        "aws ce update-cost-allocation-tags-status --region us-east-1 --cost-allocation-tags-status "
        "'TagKey=cost centre,Status=Active' 'TagKey=owner,Status=Active'"
    )
    assert len(command([f"k{n}" for n in range(45)]).splitlines()) == 3
