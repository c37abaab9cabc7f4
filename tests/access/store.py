"""Intents of the relational store: applications read it and nothing else; its job and its importer."""

from collections.abc import Iterator
from dataclasses import replace

from tests.access import intent as i
from tests.access.intent import Checks, Intent
from tests.access.request import Check
from tests.access.resolver import COMPANY, HERE

APPLICATIONS = f"{i.ROLE}/causeway-store-reader"
LOAD, IMPORTER, LOAD_MACHINE, RULE = (
    f"{i.ROLE}/causeway-store-{name}"
    for name in ("load-role", "store-importer", "machine-role", "machine-eventsrole")
)
APPLICATION = f"{i.ROLE}/causeway-application"
CLUSTER = f"arn:aws:rds:{HERE}:cluster:causeway-store-store-cluster"
SECRET = f"arn:aws:secretsmanager:{HERE}:secret"
OWNER_SECRET, READER_SECRET = (
    f"{SECRET}:causeway-store-store-{name}" for name in ("cluster-secret-attachment", "reader")
)
STAGING = "arn:aws:s3:::causeway-store-staging"
MACHINE = f"arn:aws:states:{HERE}:stateMachine:causeway-store-machine"
FILE = "loads/1/000000.csv"


def store() -> Iterator[Intent]:
    yield _taking()
    yield _asking()
    yield from _loading()


def _taking() -> Intent:
    return Intent(
        "an application takes the store's role",
        i.take(APPLICATIONS, APPLICATION, {}),
        {
            "as another role": i.take(APPLICATIONS, APPLICATION.replace("application", "intern"), {}),
            "as a user of that name": i.take(APPLICATIONS, APPLICATION.replace(":role/", ":user/"), {}),
            "from another account": i.take(APPLICATIONS, APPLICATION.replace(COMPANY, i.STRANGER), {}),
            "as the partner's program": i.take(APPLICATIONS, i.READER, {}),
            "as the partner's role here": i.take(APPLICATIONS, i.PROGRAMMATIC, {}),
            "and tags the session": (Check(APPLICATION, "sts:TagSession", APPLICATIONS),),
            "and names a source": (Check(APPLICATION, "sts:SetSourceIdentity", APPLICATIONS),),
            "by a web identity": (Check(APPLICATION, "sts:AssumeRoleWithWebIdentity", APPLICATIONS),),
        },
    )


def _calls(who: str, secret: str, *names: str) -> Checks:
    return (
        *(Check(who, f"rds-data:{name}", CLUSTER) for name in names),
        Check(who, "secretsmanager:GetSecretValue", secret),
        Check(who, "kms:Decrypt", i.KEY),
    )


TRANSACTION = ("BeginTransaction", "ExecuteStatement", "CommitTransaction", "RollbackTransaction")


def _asking() -> Intent:
    asks = _calls(APPLICATIONS, READER_SECRET, *TRANSACTION, "BatchExecuteStatement")
    return Intent(
        "an application asks the store as its reader",
        asks,
        {
            "as the store's owner": (replace(asks[-2], resource=OWNER_SECRET),),
            "another cluster": (replace(asks[1], resource=f"{CLUSTER}2"),),
            "under another key": (replace(asks[-1], resource=i.OTHER_KEY),),
            "changes the secret": (replace(asks[-2], action="secretsmanager:PutSecretValue"),),
            "changes the cluster": (Check(APPLICATIONS, "rds:ModifyDBCluster", CLUSTER),),
            "encrypts": (Check(APPLICATIONS, "kms:Encrypt", i.KEY),),
            "reads the lake": i.read(APPLICATIONS, i.CURATED),
            "sees the lake's tables": i.table(APPLICATIONS, "causeway_lake/flights"),
            "reads what is staged": i.read(APPLICATIONS, STAGING, FILE),
            "loads the store": (Check(APPLICATIONS, "states:StartExecution", MACHINE),),
            **{
                f"as the partner's {name} role": (Check(role, "rds-data:ExecuteStatement", CLUSTER),)
                for name, role in (("programmatic", i.PROGRAMMATIC), ("console", i.CONSOLE))
            },
            "the partner reads the secret": (
                Check(i.PROGRAMMATIC, "secretsmanager:GetSecretValue", READER_SECRET),
            ),
        },
    )


def _loading() -> Iterator[Intent]:
    yield Intent(
        "the load job reads curated tables, stages files, and writes the store as its owner",
        (
            *i.read(LOAD, i.CURATED),
            *i.table(LOAD, "causeway_lake/flights"),
            *i.write(LOAD, STAGING, FILE),
            Check(LOAD, "s3:DeleteObject", f"{STAGING}/{FILE}"),
            *_calls(LOAD, OWNER_SECRET, *TRANSACTION),
            Check(LOAD, "secretsmanager:GetSecretValue", READER_SECRET),
            Check(LOAD, "dynamodb:UpdateItem", i.LEDGER),
        ),
        {
            "changes a table's file": i.write(LOAD, i.CURATED, i.FLIGHTS),
            "reads a source": i.read(LOAD, i.LANDING, "landing/flights/a.csv"),
            "reads the quarantine": i.read(LOAD, i.QUARANTINE, "rejected/flights/a"),
            "reads what is staged": i.read(LOAD, STAGING, FILE),
            "another cluster": (Check(LOAD, "rds-data:ExecuteStatement", f"{CLUSTER}2"),),
            "another secret": (Check(LOAD, "secretsmanager:GetSecretValue", f"{SECRET}:other"),),
            "reads the ledger": (Check(LOAD, "dynamodb:GetItem", i.LEDGER),),
        },
    )
    yield Intent(
        "the store reads what a load has staged",
        i.read(IMPORTER, STAGING, FILE),
        {
            "anything else there": i.read(IMPORTER, STAGING, "other/a"),
            "the lake": i.read(IMPORTER, i.CURATED),
            "and changes it": i.write(IMPORTER, STAGING, FILE),
        },
    )
    taken = Check("rds.amazonaws.com", "sts:AssumeRole", IMPORTER, {"aws:SourceAccount": COMPANY})
    yield Intent(
        "RDS takes the importer's role for this account",
        (taken,),
        {
            "for another account": (taken.but({"aws:SourceAccount": i.STRANGER}),),
            "for nobody": (taken.but({"aws:SourceAccount": None}),),
            "as another service": (replace(taken, principal="glue.amazonaws.com"),),
        },
    )
    job = f"{i.GLUE}:job/causeway-store-load-job"
    yield Intent(
        "a commit starts the machine of loads, which runs its job and says so",
        (
            Check(RULE, "states:StartExecution", MACHINE),
            Check(LOAD_MACHINE, "glue:StartJobRun", job),
            Check(LOAD_MACHINE, "dynamodb:GetItem", i.LEDGER),
            Check(LOAD_MACHINE, "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"),
        ),
        {
            "another machine": (Check(RULE, "states:StartExecution", f"{MACHINE}2"),),
            "the curating job": (
                Check(LOAD_MACHINE, "glue:StartJobRun", f"{i.GLUE}:job/causeway-pipeline-curate-job"),
            ),
            "asks the store": (Check(LOAD_MACHINE, "rds-data:ExecuteStatement", CLUSTER),),
            "reads data": i.read(LOAD_MACHINE, i.CURATED),
        },
    )
