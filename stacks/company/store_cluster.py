"""PostgreSQL without a door: no way in or out of its network but the Data API and S3, paused when idle."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from causeway.settings import Settings
from causeway.store.schemas import PARTNER, READER
from stacks.company.lake import LakeStack
from stacks.parts.functions import removal_policy
from stacks.parts.permissions import acknowledge, allow, answer_checkov

DATABASE = "causeway"
OWNER = "owner"  # the user who makes the tables
VERSION = rds.AuroraPostgresEngineVersion.VER_17_4
ZONES = 2  # Aurora asks for subnets in two
SANDBOX_BACKUPS, BACKUPS = Duration.days(1), Duration.days(14)


class StoreCluster(Construct):
    """`cluster` holds the database; it reads `staging`; `reader_secret` is of the user who may only read."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, lake: LakeStack, staging: s3.Bucket
    ) -> None:
        super().__init__(scope, construct_id)
        # Imported: otherwise the lake's key policy would open it to Secrets Manager for all of the account.
        self._key = kms.Key.from_key_arn(self, "Key", lake.key.key_arn)
        self.reader_secret = self._make_secret(settings, READER, "The store's user who may only read")
        reads = "The store's user who may only read what the partner may"
        self.partner_secret = (
            self._make_secret(settings, PARTNER, reads) if settings.store.partner_reads else None
        )
        self._importer = self._make_importer(lake, staging)
        self.cluster = self._make_cluster(settings)
        # Nobody opens a cluster that was kept without its owner's password.
        secret = self.cluster.node.find_child("Secret")
        assert isinstance(secret, secretsmanager.Secret)
        secret.apply_removal_policy(removal_policy(settings))
        self._acknowledge(settings)

    def _make_secret(self, settings: Settings, user: str, description: str) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self,
            user.capitalize(),
            description=description,
            encryption_key=self._key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=f'{{"username": "{user}"}}',
                generate_string_key="password",
                exclude_punctuation=True,
                password_length=40,
            ),
            removal_policy=removal_policy(settings),
        )

    def _make_importer(self, lake: LakeStack, staging: s3.Bucket) -> iam.Role:
        role = iam.Role(
            self,
            "Importer",
            assumed_by=iam.ServicePrincipal(
                "rds.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            description="The store: reads the files that a load imports",
        )
        files = staging.arn_for_objects("loads/*")
        allow(role, "s3:GetObject", files, why_wildcards="The files of each load")
        allow(role, "kms:Decrypt", lake.key.key_arn)
        return role

    def _make_network(self) -> ec2.Vpc:
        vpc = ec2.Vpc(
            self,
            "Network",
            max_azs=ZONES,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="store", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=26
                )
            ],
            # Nothing here uses it; CDK would deploy a function that empties it.
            restrict_default_security_group=False,
        )
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        no_clients = (
            "The cluster alone is in it, and no client reaches that: the Data API does, which is audited"
        )
        acknowledge(vpc, "AwsSolutions::AwsSolutions-VPC7", no_clients)
        return vpc

    def _make_cluster(self, settings: Settings) -> rds.DatabaseCluster:
        store, vpc = settings.store, self._make_network()
        group = ec2.SecurityGroup(
            self, "Firewall", vpc=vpc, description="The store: nobody comes in", allow_all_outbound=True
        )
        return rds.DatabaseCluster(
            self,
            "Cluster",
            engine=rds.DatabaseClusterEngine.aurora_postgres(version=VERSION),
            credentials=rds.Credentials.from_generated_secret(OWNER, encryption_key=self._key),
            default_database_name=DATABASE,
            writer=rds.ClusterInstance.serverless_v2("Writer", enable_performance_insights=False),
            serverless_v2_min_capacity=0,
            serverless_v2_max_capacity=store.max_capacity,
            serverless_v2_auto_pause_duration=Duration.minutes(store.pause_after_minutes),
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_groups=[group],
            enable_data_api=True,
            iam_authentication=True,
            s3_import_role=self._importer.without_policy_updates(),
            storage_encrypted=True,
            storage_encryption_key=self._key,
            backup=rds.BackupProps(retention=SANDBOX_BACKUPS if settings.sandbox else BACKUPS),
            copy_tags_to_snapshot=True,
            deletion_protection=not settings.sandbox,
            removal_policy=removal_policy(settings),
        )

    def _acknowledge(self, settings: Settings) -> None:
        for rule, reason in {
            "RDS11": "Nobody reaches its port: clients come through the Data API",
            "SMG4": "It opens nothing without the Data API, which IAM guards; rotation needs a function here",
        }.items():
            acknowledge(self, f"AwsSolutions::AwsSolutions-{rule}", reason)
        no_monitoring = "It pauses when idle; Aurora's own metrics tell the rest, without a role and a log"
        answer_checkov(self.cluster.node.find_child("Writer"), {"118": no_monitoring})
        if settings.sandbox:
            acknowledge(self, "AwsSolutions::AwsSolutions-RDS10", "A sandbox goes with its stacks")
