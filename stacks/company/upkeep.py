"""The role under which Glue keeps the tables: merges small files, deletes old snapshots and orphans."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.company.lake import LakeStack
from stacks.parts.permissions import allow

# Where the optimizers write of what they did. Their names are Glue's own.
LOGS = ("compaction", "retention", "orphan-file-deletion")
FILES = "The files of the two Iceberg databases, whose names Iceberg makes"
OWN_TABLES = "Every table of the two databases, which are Causeway's own"


def allow_finding(role: iam.Role, lake: LakeStack) -> None:
    """Let it look up curated tables in the catalog, and what is not there in the bucket."""
    # Without ListBucket, S3 says "forbidden" of what is not there.
    allow(role, "s3:ListBucket", lake.curated_arn)
    database = lake.curated_database
    catalog = [
        lake.format_arn(service="glue", resource=kind, resource_name=name)
        for kind, name in (("catalog", None), ("database", database), ("table", f"{database}/*"))
    ]
    allow(role, "glue:GetTable", *catalog, why_wildcards=OWN_TABLES)


class Maintenance(Construct):
    """`role` may change the files and the metadata of both Iceberg databases; only Glue takes it."""

    def __init__(self, scope: Construct, construct_id: str, *, lake: LakeStack) -> None:
        super().__init__(scope, construct_id)
        self._tables = catalog_arns(lake)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
            description="Glue's table optimizers: the upkeep of the curated and the quarantine tables",
        )
        allow_files(self.role, lake)
        allow(self.role, "s3:ListBucket", lake.curated_arn, lake.quarantine_arn)
        allow(self.role, "glue:GetTable glue:UpdateTable", *self._tables, why_wildcards=OWN_TABLES)
        allow(self.role, "kms:Decrypt kms:GenerateDataKey", lake.key.key_arn)
        allow(
            self.role,
            "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents",
            *(self._log_group(name) for name in LOGS),
            why_wildcards="The streams of Glue's log groups for optimizers",
        )

    def _log_group(self, name: str) -> str:
        return Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws-glue/iceberg-{name}/logs:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def set_up_by(self, job: iam.Role) -> None:
        """Let this role bring the optimizers to what the settings want, and hand them theirs."""
        allow(
            job,
            "glue:BatchGetTableOptimizer glue:CreateTableOptimizer glue:UpdateTableOptimizer",
            *self._tables,
            why_wildcards=OWN_TABLES,
        )
        to_glue = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
        job.add_to_principal_policy(
            iam.PolicyStatement(actions=["iam:PassRole"], resources=[self.role.role_arn], conditions=to_glue)
        )


def allow_files(role: iam.Role, lake: LakeStack) -> None:
    allow(
        role,
        "s3:GetObject s3:PutObject s3:DeleteObject",
        f"{lake.curated_arn}/*",
        f"{lake.quarantine_arn}/rejected/*",
        why_wildcards=FILES,
    )


def catalog_arns(lake: LakeStack) -> list[str]:
    """What a permission on every table of the lake's databases names."""
    databases = [lake.curated_database, lake.quarantine_database]
    resources = ["catalog", *(f"database/{db}" for db in databases), *(f"table/{db}/*" for db in databases)]
    parts = [(kind, name or None) for kind, _, name in (resource.partition("/") for resource in resources)]
    return [lake.format_arn(service="glue", resource=kind, resource_name=name) for kind, name in parts]
