"""Whoever curates: the job, and the function for small batches, which may the same."""

from collections.abc import Iterator

from tests.access import intent as i
from tests.access.intent import Intent
from tests.access.request import Check

WHO = {i.CURATE: "the job", i.SMALL: "the function for small batches"}


def curating() -> Iterator[Intent]:
    for who, name in WHO.items():
        to_glue = {"iam:PassedToService": "glue.amazonaws.com"}
        yield Intent(
            f"{name} reads landing, writes curated and quarantine",
            (
                *i.read(who, i.LANDING, "landing/flights/a.csv"),
                *i.write(who, i.CURATED, i.FLIGHTS),
                *i.write(who, i.QUARANTINE, "rejected/flights/a"),
                *i.table(who, "causeway_lake/flights", "glue:UpdateTable"),
            ),
            {
                "changes a source": i.write(who, i.LANDING, "landing/flights/a.csv"),
                "deletes a source": (Check(who, "s3:DeleteObject", f"{i.LANDING}/landing/flights/a.csv"),),
                "reads the logs": i.read(who, i.LOGS, "x"),
                "another database": i.table(who, "payroll/flights", "glue:UpdateTable"),
                "takes the partner's role": (Check(who, "sts:AssumeRole", i.PROGRAMMATIC, i.EXTERNAL_ID),),
            },
        )
        yield Intent(
            f"{name} sets up its tables' upkeep",
            (
                *i.table(who, "causeway_lake/flights", "glue:CreateTableOptimizer"),
                Check(who, "iam:PassRole", i.UPKEEP, to_glue),
            ),
            {
                "another database's": i.table(who, "payroll/flights", "glue:CreateTableOptimizer"),
                "hands over another role": (Check(who, "iam:PassRole", who, to_glue),),
                "hands it to another service": (
                    Check(who, "iam:PassRole", i.UPKEEP, {"iam:PassedToService": "ec2.amazonaws.com"}),
                ),
            },
        )
