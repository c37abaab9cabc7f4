"""What a deployment costs in a month in which nothing lands, stack by stack.

A stack's function says what of it is billed by time; another stack is another function in STACKS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from causeway.contract.model import Contract
from causeway.flow.prices import PRICES
from causeway.settings import Settings

DAYS = 30  # of a month
# Of the pipeline's stack, and of the store's; tests compare them with the templates.
ALARMS, PROFILE_ALARMS, NEWS_ALARMS, SMALL_ALARMS, STORE_ALARMS = 18, 4, 1, 2, 3
FRESHNESS_ALARMS = 2  # of a dataset that promises it
# Passages of a GB: with the index 2.6 KB of each were measured in the store; S3 Vectors bills vector, id and
# metadata, some 0.2 KB.
IN_STORE, IN_S3 = 380_000, 800_000
# Of the language model's endpoint: its stack's three, and two that scaling by its backlog makes itself.
INFERENCE_ALARMS = 5
# Lambda's pollers of a queue, and the seconds that each waits for a message.
POLLERS, POLL_SECONDS = 5, 20
RECONCILE_GB_SECONDS = 1.73 * 5  # of a pass that finds nothing to list
MEASURED_A_DAY, MEASURE_GB_SECONDS = 96, 0.5


@dataclass(frozen=True)
class Item:
    """So many units a month, at the price of that name; `of` says what, and what is assumed."""

    name: str
    units: float
    price: str
    of: str = ""

    @property
    def dollars(self) -> float:
        return self.units * float(PRICES[self.price].dollars)


Contracts = Mapping[str, Contract]


def lake(_settings: Settings, contracts: Contracts) -> Iterator[Item]:
    yield Item("customer key", 1, "key_month")
    if any(contract.hashed for contract in contracts.values()):
        yield Item("key behind hashed columns", 1, "key_month")
    polls = DAYS * 86_400 / POLL_SECONDS * POLLERS
    yield Item("queue's polling", polls, "sqs_request", f"{POLLERS} pollers, {POLL_SECONDS} s each")


def pipeline(settings: Settings, contracts: Contracts) -> Iterator[Item]:
    profiles, news = any(settings.profile_hours().values()), settings.partner.ml.enabled
    small = settings.small_batches.max_objects > 0
    fresh = sum(contract.freshness > 0 for contract in contracts.values())
    limited = sum(contract.quarantine_limit is not None for contract in contracts.values())
    alarms = ALARMS + PROFILE_ALARMS * profiles + NEWS_ALARMS * news + SMALL_ALARMS * small
    alarms += FRESHNESS_ALARMS * fresh + limited
    yield Item("alarms", alarms, "alarm_month", "AWS asks nothing for an account's first ten")
    yield Item("dashboard", 1, "dashboard_month", "AWS asks nothing for an account's first three")
    yield Item("freshness", fresh, "metric_month", "a metric of each dataset whose contract promises it")
    measuring = DAYS * MEASURED_A_DAY * MEASURE_GB_SECONDS
    yield Item("measuring function", measuring, "lambda_gb_second", "a second every quarter of an hour")
    passes = DAYS * 24 / settings.limits.reconcile_hours
    yield Item("reconciliation", passes * len(contracts), "s3_put", "a listing a dataset")
    yield Item("reconciliation's function", passes * RECONCILE_GB_SECONDS, "lambda_gb_second", "5 s a pass")


def costs(_settings: Settings, _contracts: Contracts) -> Iterator[Item]:
    asked = "two a day, if AWS bills these as it does queries"
    yield Item("looking for the tags in billing", 2 * DAYS, "ce_request", asked)


def store(settings: Settings, contracts: Contracts) -> Iterator[Item]:
    if settings.store.enabled:
        yield Item("store's secrets", 2 + settings.store.partner_reads, "secret_month")
        yield Item("store's alarms", STORE_ALARMS, "alarm_month")
        yield Item("store's storage", 1, "aurora_gb_month", "of each GB; paused, its capacity costs nothing")
        if any(contract.embedded for contract in contracts.values()):
            yield from _vectors(settings)


def _vectors(settings: Settings) -> Iterator[Item]:
    """Where they are, and what it would be elsewhere."""
    if settings.store.vectors == "postgres":
        other = PRICES["vector_gb_month"].dollars
        of = f'of each GB, {IN_STORE:,} passages; for "s3": ${other:f}, {IN_S3:,} passages'
        yield Item("vectors in the store", 1, "aurora_gb_month", of)
        return
    other = PRICES["aurora_gb_month"].dollars
    of = f'of each GB, {IN_S3:,} passages; for "postgres": ${other:f}, {IN_STORE:,} passages'
    yield Item("vectors in S3 Vectors", 1, "vector_gb_month", of)
    scanned = "a thousand; besides, of each so much as the index has, some $0.004 a TB"
    yield Item("searches of vectors", 1000, "vector_query", scanned)


def inference(settings: Settings, _contracts: Contracts) -> Iterator[Item]:
    if settings.inference.enabled:
        yield Item("language model's alarms", INFERENCE_ALARMS, "alarm_month", "asleep, it has no instance")


STACKS: Mapping[str, Callable[[Settings, Contracts], Iterator[Item]]] = {
    "lake": lake,
    "pipeline": pipeline,
    "store": store,
    "inference": inference,
    "costs": costs,
}


def idle(settings: Settings, contracts: Contracts) -> list[Item]:
    """Every item of every stack of the company's."""
    return [item for stack in STACKS.values() for item in stack(settings, contracts)]
