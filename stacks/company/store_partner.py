"""The partner at the store, if the settings say so: a role that asks it as a user who reads what it may."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from causeway.settings import Settings
from stacks.company.lake import LakeStack
from stacks.company.store_cluster import StoreCluster
from stacks.parts.roles import PARTNER_PATH, program_role

KIND = "store"  # of the partner's roles
READING = "ExecuteStatement BatchExecuteStatement BeginTransaction CommitTransaction RollbackTransaction"


def calls_to_read() -> list[str]:
    """Of the Data API; what they may read the database says, by its user."""
    return [f"rds-data:{name}" for name in READING.split()]


class StorePartner(Construct):
    """`role` is for the partner's programs, by their external id; what it may is its boundary as well."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        store: StoreCluster,
        secret: secretsmanager.Secret,
    ) -> None:
        super().__init__(scope, construct_id)
        through = {
            "kms:ViaService": f"secretsmanager.{Stack.of(self).region}.amazonaws.com",
            "kms:EncryptionContext:SecretARN": secret.secret_arn,
        }
        policy = iam.ManagedPolicy(
            self,
            "Permissions",
            path=PARTNER_PATH,
            description="All that the partner may do at the store",
            statements=[
                iam.PolicyStatement(actions=calls_to_read(), resources=[store.cluster.cluster_arn]),
                iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn]),
                iam.PolicyStatement(
                    actions=["kms:Decrypt"],
                    resources=[lake.key.key_arn],
                    conditions={"StringEquals": through},
                ),
            ],
        )
        self.role = program_role(
            self,
            settings.partner,
            settings.project,
            KIND,
            programs=settings.partner.programmatic_roles,
            description="For the partner: reads its datasets in the store",
            policies=[policy],
            boundary=policy,
        )
