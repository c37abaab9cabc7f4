"""Intents of the alerts' whole way: alarm or budget, topic, key."""

from collections.abc import Iterator
from dataclasses import replace

from tests.access import intent as i
from tests.access.intent import Intent
from tests.access.request import Check
from tests.access.resolver import COMPANY, HERE
from tests.access.store import LOAD_MACHINE
from tests.access.training import TOPIC as TRAINING_TOPIC

CLOUDWATCH, BUDGETS = "cloudwatch.amazonaws.com", "budgets.amazonaws.com"
FAILURES, BUDGET = (
    f"arn:aws:sns:{HERE}:causeway-{name}" for name in ("pipeline-failures", "costs-budgetalerts")
)
USES_OF_THE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


def alerts() -> Iterator[Intent]:
    for service, topic, account in (
        (CLOUDWATCH, FAILURES, COMPANY),
        (BUDGETS, BUDGET, COMPANY),
        (CLOUDWATCH, TRAINING_TOPIC, i.PARTNER),
    ):
        publish = Check(service, "sns:Publish", topic, {"aws:SourceAccount": account})
        other = BUDGETS if service == CLOUDWATCH else CLOUDWATCH
        yield Intent(
            f"{service} publishes to {topic.rsplit(':', 1)[1]} for its account",
            (publish,),
            {
                "for another account": (publish.but({"aws:SourceAccount": i.STRANGER}),),
                "for nobody": (publish.but({"aws:SourceAccount": None}),),
                "as another service": (replace(publish, principal=other),),
                "and subscribes somebody": (replace(publish, action="sns:Subscribe"),),
                "without TLS": (publish.but({"aws:SecureTransport": "false"}),),
            },
        )
    uses = tuple(
        Check(CLOUDWATCH, action, i.KEY, {"aws:SourceAccount": COMPANY}) for action in USES_OF_THE_KEY
    )
    yield Intent(
        "CloudWatch uses the key under which the company's topic is encrypted",
        uses,
        {
            f"{use.action} {how}": (other,)
            for use in uses
            for how, other in {
                "for another account": use.but({"aws:SourceAccount": i.STRANGER}),
                "for nobody": use.but({"aws:SourceAccount": None}),
                "as another service": replace(use, principal=BUDGETS),
                "of another key": replace(use, resource=i.OTHER_KEY),
            }.items()
        }
        | {"and encrypts by itself": (replace(uses[0], action="kms:Encrypt"),)},
    )
    for machine in (i.MACHINE, i.PROFILES_MACHINE, LOAD_MACHINE):
        publishing = (
            Check(machine, "sns:Publish", FAILURES),
            *(Check(machine, action, i.KEY) for action in USES_OF_THE_KEY),
        )
        yield Intent(
            f"{machine.rsplit('/', 1)[1]} publishes to the encrypted topic",
            publishing,
            {
                "to the budget's": (replace(publishing[0], resource=BUDGET),),
                "without TLS": (publishing[0].but({"aws:SecureTransport": "false"}),),
                "and decrypts what another key encrypted": (replace(publishing[1], resource=i.OTHER_KEY),),
                "and encrypts by itself": (replace(publishing[1], action="kms:Encrypt"),),
            },
        )
