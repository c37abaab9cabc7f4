"""The one table of prices: US dollars, without taxes, discounts and free tiers, of one region on one date.

None was read from AWS's own price list by a program. `verified` are those that several places agree on; the
others are from memory of AWS's pages. docs/costs.md says how to look each up again.
"""

from dataclasses import dataclass
from decimal import Decimal

REGION, DATE = "us-east-1", "2026-11-28"
WHERE = f"{REGION}, {DATE}, from the pages of aws.amazon.com that are named"


@dataclass(frozen=True)
class Price:
    """So many dollars for one `per`; `page` is AWS's."""

    dollars: Decimal
    per: str
    page: str
    verified: bool = False

    @property
    def source(self) -> str:
        """For people: what it is, at which page to look, and whether anybody has."""
        doubt = "" if self.verified else ", unverified"
        return f"${self.dollars:f} per {self.per} ({self.page}{doubt})"


PRICES = {
    "dpu_hour": Price(Decimal("0.44"), "DPU-hour", "glue/pricing", verified=True),
    "transition": Price(Decimal("0.000025"), "state transition", "step-functions/pricing", verified=True),
    "lambda_request": Price(Decimal("0.0000002"), "request", "lambda/pricing", verified=True),
    "lambda_gb_second": Price(Decimal("0.0000133334"), "GB-second on Arm", "lambda/pricing", verified=True),
    "sqs_request": Price(Decimal("0.0000004"), "request", "sqs/pricing"),
    "s3_put": Price(Decimal("0.000005"), "PUT, COPY or LIST", "s3/pricing"),
    "s3_get": Price(Decimal("0.0000004"), "GET or HEAD", "s3/pricing"),
    "s3_gb_month": Price(Decimal("0.023"), "GB-month", "s3/pricing"),
    "ledger_write": Price(Decimal("0.000000625"), "write of 1 KB", "dynamodb/pricing", verified=True),
    "ledger_read": Price(
        Decimal("0.000000125"), "consistent read of 4 KB", "dynamodb/pricing", verified=True
    ),
    "audited_event": Price(Decimal("0.000001"), "object event of the trail", "cloudtrail/pricing"),
    "log_gb": Price(Decimal("0.50"), "GB written to logs", "cloudwatch/pricing"),
    "alarm_month": Price(Decimal("0.10"), "alarm and month", "cloudwatch/pricing"),
    "dashboard_month": Price(Decimal(3), "dashboard and month", "cloudwatch/pricing"),
    "metric_month": Price(Decimal("0.30"), "metric and month", "cloudwatch/pricing"),
    "ce_request": Price(
        Decimal("0.01"), "request to Cost Explorer", "aws-cost-management/aws-cost-explorer/pricing"
    ),
    "secret_month": Price(Decimal("0.40"), "secret and month", "secrets-manager/pricing"),
    "aurora_gb_month": Price(Decimal("0.10"), "GB-month of the store", "rds/aurora/pricing"),
    "vector_gb_month": Price(Decimal("0.06"), "GB-month of vectors", "s3/pricing", verified=True),
    "vector_query": Price(Decimal("0.0000025"), "search of vectors", "s3/pricing", verified=True),
    "key_month": Price(Decimal(1), "key and month", "kms/pricing"),
}

# Of a worker.
DPUS = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}
MINUTE = 60  # seconds; the least that Glue bills of a run, and what one without data takes
