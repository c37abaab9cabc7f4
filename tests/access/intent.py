"""The intents: what is allowed, and beside it what must not be, each differing in one fact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tests.access.policies import Access, Json, synthesized
from tests.access.request import Check, question
from tests.access.resolver import COMPANY, HERE, REGION
from tests.access.simulator import Simulator

PARTNER, STRANGER = "222222222222", "333333333333"
ROLE = f"arn:aws:iam::{COMPANY}:role"
PROGRAMMATIC, CONSOLE = (f"{ROLE}/causeway/partner/causeway-{kind}" for kind in ("programmatic", "console"))
ADMIN = f"{ROLE}/admin"
CURATE, SMALL, UPKEEP, MACHINE, BATCHING, PROFILE, SCHEDULE, PROFILES_MACHINE, NEWS, PRICE = (
    f"{ROLE}/causeway-pipeline-{name}-role"
    for name in (
        "curate",
        "curatesmall-curate",
        "curate-maintenance",
        "batches-machine",
        "batchevents",
        "profiles-profile",
        "profiles-schedule",
        "profiles-machine",
        "news",
        "runprices-price",
    )
)
MEASURE = f"{ROLE}/causeway-pipeline-measurements-measure-role"
ACTIVATE = f"{ROLE}/causeway-costs-activatetags-role"
READER, ANALYST = (
    f"arn:aws:iam::{PARTNER}:role/causeway-reader",
    f"arn:aws:iam::{PARTNER}:user/causeway-analyst",
)
TRAINING = f"arn:aws:iam::{PARTNER}:role/causeway-training"
SSO = f"arn:aws:iam::{PARTNER}:role/aws-reserved/sso.amazonaws.com"
LANDING, CURATED, QUARANTINE, LOGS = (
    f"arn:aws:s3:::causeway-lake-{name}" for name in ("landing", "curated", "quarantine", "logs")
)
KEY, OTHER_KEY = (f"arn:aws:kms:{HERE}:key/{name}" for name in ("causeway-lake-key", "other"))
BUS = f"arn:aws:events:{REGION}:{PARTNER}:event-bus/causeway-news"
COMMIT = {"events:source": ["causeway"], "events:detail-type": ["Dataset Curated"]}
QUEUE = f"arn:aws:sqs:{HERE}:causeway-lake-landingevents"
LEDGER = f"arn:aws:dynamodb:{HERE}:table/causeway-pipeline-ledger"
GLUE = f"arn:aws:glue:{HERE}"
FLIGHTS = "flights/data/part-0.parquet"
EXTERNAL_ID = {"sts:ExternalId": "causeway-embedded-demo"}
MFA = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "60"}
SSE = "s3:x-amz-server-side-encryption"
ENDPOINT = "vpce-0123456789abcdef0"
Checks = tuple[Check, ...]


@dataclass(frozen=True)
class Intent:
    """All of `allowed` is; of each entry of `but`, something is not."""

    name: str
    allowed: Checks
    but: Mapping[str, Checks]
    options: tuple[tuple[str, object], ...] = ()

    def access(self) -> Access:
        return synthesized(dict(self.options))

    def checks(self) -> list[Check]:
        return [check for checks in (self.allowed, *self.but.values()) for check in checks]


Granted = dict[str, bool]
"""What the simulator said, by the check's key."""


def decide(access: Access, checks: Iterable[Check], simulator: Simulator) -> Granted:
    distinct = {check.key: check for check in checks}
    answers = simulator.ask([question(access, check) for check in distinct.values()])
    return {key: answer["result"] == "Allowed" for key, answer in zip(distinct, answers, strict=True)}


def broken(intents: Iterable[Intent], granted: Granted) -> list[str]:
    """What is not as intended, a line each."""
    lines = []
    for intent in intents:
        refused = [check for check in intent.allowed if not granted[check.key]]
        lines += [f"{intent.name}: refused: {check.action} on {check.resource}" for check in refused]
        for but, checks in intent.but.items():
            if all(granted[check.key] for check in checks):
                lines.append(f"{intent.name}; {but}: granted")
    return lines


def through_s3(who: str, action: str, bucket: str, key: str = KEY) -> Check:
    """What S3 asks of the key on the caller's behalf. With bucket keys, the context is the bucket."""
    context = {"kms:ViaService": f"s3.{REGION}.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": bucket}
    return Check(who, action, key, context)


def read(who: str, bucket: str, key: str = FLIGHTS, action: str = "s3:GetObject") -> Checks:
    """Reading an encrypted object is two checks."""
    return Check(who, action, f"{bucket}/{key}"), through_s3(who, "kms:Decrypt", bucket)


def write(who: str, bucket: str, key: str) -> Checks:
    return Check(who, "s3:PutObject", f"{bucket}/{key}"), through_s3(who, "kms:GenerateDataKey", bucket)


def list_(who: str, bucket: str, prefix: str | None, action: str = "s3:ListBucket") -> Checks:
    return (Check(who, action, bucket, {"s3:prefix": prefix} if prefix is not None else {}),)


def table(who: str, name: str, action: str = "glue:GetTable") -> Checks:
    """Glue asks of the table, its database and the catalog."""
    database = name.partition("/")[0]
    resources = (f"{GLUE}:catalog", f"{GLUE}:database/{database}", f"{GLUE}:table/{name}")
    return tuple(Check(who, action, resource) for resource in resources)


def take(role: str, who: str, context: Json) -> Checks:
    return (Check(who, "sts:AssumeRole", role, context),)


def changed(checks: Checks, context: Json) -> Checks:
    return tuple(check.but(context) for check in checks)


def mistaken(checks: Checks) -> Checks:
    return tuple(replace(check, mistaken=True) for check in checks)
