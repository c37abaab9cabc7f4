"""What each run of the Glue jobs cost: told by Glue when it ends, and written into the ledger."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from causeway.flow.parameters import PriceRunParameters
from causeway.flow.runs import PARTITION
from causeway.settings import Settings
from stacks.parts.functions import PythonFunction
from stacks.parts.permissions import allow

# However it ended: a run that failed costs no less.
ENDED = ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"]


class RunPrices(Construct):
    """`function` hears of the end of each of the jobs' runs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        jobs: Sequence[glue.PySparkEtlJob],
        ledger: dynamodb.Table,
    ) -> None:
        super().__init__(scope, construct_id)
        price = PythonFunction(
            self,
            "Price",
            name="price_run",
            description="A run's end in, what it cost out",
            parameters=PriceRunParameters(ledger.table_name, settings.project),
            settings=settings,
            timeout=Duration.minutes(1),
        )
        allow(price.role, "glue:GetJobRun", *(job.job_arn for job in jobs))
        # Not of what became of any source.
        runs = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [PARTITION]}}
        price.role.add_to_principal_policy(
            iam.PolicyStatement(actions=["dynamodb:PutItem"], resources=[ledger.table_arn], conditions=runs)
        )
        self.function = price.function
        events.Rule(
            self,
            "Ended",
            description="Every end of a run of the Glue jobs",
            event_pattern=events.EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Job State Change"],
                detail={"jobName": [job.job_name for job in jobs], "state": ENDED},
            ),
            targets=[targets.LambdaFunction(price.function, retry_attempts=2)],
        )
