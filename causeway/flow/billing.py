"""Tags in billing, which divides the bill by those that the paying account has activated.

Billing lists a key up to a day after its first use. The API answers 200 also when it refuses a key.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

REGION = "us-east-1"  # Cost Explorer's
AT_ONCE = 20  # keys of a request
# Of a key: not listed yet; listed, to be activated; activated; not to be activated from here.
WAITING, INACTIVE, ACTIVE, REFUSED = "waiting", "inactive", "active", "ask the payer account"
NOT_STARTED, TOMORROW = "not started", "as many as AWS starts in a day were started: again tomorrow"
BACK = 11  # months before this one: billing goes no further back than twelve


@dataclass(frozen=True)
class Activation:
    """Where the keys stand; `reasons` are AWS's words for those that it refuses."""

    keys: Mapping[str, str]
    reasons: Mapping[str, str] = field(default_factory=dict)
    backfill: str = NOT_STARTED
    since: str = ""  # when the last of them was activated

    @property
    def state(self) -> str:
        """The least of the keys': refused, waiting, inactive, active."""
        return next(state for state in (REFUSED, WAITING, INACTIVE, ACTIVE) if state in self.keys.values())


def look(ce: Any, keys: Sequence[str]) -> Activation:
    """Where they stand; nothing is changed."""
    try:
        listed = {tag["TagKey"]: tag for tag in _listed(ce, keys)}
        states = {key: listed[key]["Status"].lower() if key in listed else WAITING for key in keys}
        since = max((tag.get("LastUpdatedDate", "") for tag in listed.values()), default="")
        backfill = _last_backfill(ce, since) if set(states.values()) == {ACTIVE} else NOT_STARTED
    except ClientError as error:
        return Activation(dict.fromkeys(keys, REFUSED), dict.fromkeys(keys, _refusal(error)))
    return Activation(states, backfill=backfill, since=since)


def activate(ce: Any, keys: Sequence[str], now: datetime) -> Activation:
    """Activate what is listed; once all are active, have the months before divided too, once."""
    found = look(ce, keys)
    inactive = [key for key, state in found.keys.items() if state == INACTIVE]
    reasons = dict(found.reasons)
    for first in range(0, len(inactive), AT_ONCE):
        part = inactive[first : first + AT_ONCE]
        reasons |= _update(ce, part)
    became = {key: REFUSED if key in reasons else ACTIVE for key in inactive}
    states = {**found.keys, **became}
    backfill = found.backfill
    if set(states.values()) == {ACTIVE} and backfill == NOT_STARTED:
        backfill = _start_backfill(ce, now)
    return Activation(states, reasons, backfill, found.since)


def command(keys: Sequence[str]) -> str:
    """What whoever holds the payer account is to run."""
    shown = [f"'TagKey={key},Status=Active'" for key in keys]
    tags = [" ".join(shown[first : first + AT_ONCE]) for first in range(0, len(shown), AT_ONCE)]
    call = f"aws ce update-cost-allocation-tags-status --region {REGION} --cost-allocation-tags-status"
    return "\n".join(f"{call} {part}" for part in tags)


def _update(ce: Any, keys: Sequence[str]) -> dict[str, str]:
    """Why, by key, for those that were refused."""
    wanted = [{"TagKey": key, "Status": "Active"} for key in keys]
    try:
        errors = ce.update_cost_allocation_tags_status(CostAllocationTagsStatus=wanted).get("Errors", [])
    except ClientError as error:
        return dict.fromkeys(keys, _refusal(error))
    return {error["TagKey"]: f"{error.get('Code', '')}: {error.get('Message', '')}" for error in errors}


def _refusal(error: ClientError) -> str:
    """What AWS says. Raises the error again if it is no refusal: the next day may do better."""
    if "AccessDenied" not in error.response["Error"]["Code"]:
        raise error
    return str(error)


def _listed(ce: Any, keys: Sequence[str]) -> Iterator[Mapping[str, str]]:
    request = {"TagKeys": list(keys), "Type": "UserDefined"}
    return _pages(ce.list_cost_allocation_tags, request, "CostAllocationTags")


def _last_backfill(ce: Any, since: str) -> str:
    """What became of the last that was asked for since then."""
    asked = [
        request
        for request in _pages(ce.list_cost_allocation_tag_backfill_history, {}, "BackfillRequests")
        if not since or _time(request["RequestedAt"]) >= _time(since)
    ]
    newest = max(asked, key=lambda request: _time(request["RequestedAt"]), default=None)
    return newest["BackfillStatus"].lower() if newest else NOT_STARTED


def _start_backfill(ce: Any, now: datetime) -> str:
    months = now.year * 12 + now.month - 1 - BACK
    begin = f"{months // 12}-{months % 12 + 1:02}-01T00:00:00Z"
    try:
        request = ce.start_cost_allocation_tag_backfill(BackfillFrom=begin)["BackfillRequest"]
    except ce.exceptions.BackfillLimitExceededException:
        return TOMORROW
    except ClientError as error:
        return f"{REFUSED}: {_refusal(error)}"
    return str(request["BackfillStatus"]).lower()


def _pages(call: Callable[..., Any], request: Mapping[str, Any], name: str) -> Iterator[Mapping[str, str]]:
    token: dict[str, str] = {}
    while True:
        page = call(**request, **token)
        yield from page.get(name, [])
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
