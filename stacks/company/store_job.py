"""The Glue job that loads the relational store, and the role it runs under."""

from collections.abc import Mapping

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from causeway.contract.model import Contract
from causeway.flow.parameters import LoadParameters, to_arguments
from causeway.settings import Settings
from stacks.company.lake import LakeStack
from stacks.company.store_cluster import DATABASE, StoreCluster
from stacks.company.store_search import let_embed
from stacks.company.store_vectors import WRITING, StoreVectors
from stacks.company.upkeep import FILES, allow_finding
from stacks.parts import assets
from stacks.parts.permissions import allow
from stacks.parts.spark_job import SparkJob

TRANSACTIONS = "BeginTransaction CommitTransaction RollbackTransaction ExecuteStatement"


class StoreJob(SparkJob):
    """`job` reads curated tables and writes the store; `role` may do that and nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        store: StoreCluster,
        staging: s3.Bucket,
        vectors: StoreVectors | None,
        contracts: Mapping[str, Contract],
        ledger: dynamodb.Table,
        log_group: logs.LogGroup,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            script="load_store.py",
            modules=assets.JOB_MODULES,
            log_group=log_group,
            role_description="The load job: reads curated tables, writes the relational store",
        )
        owner = store.cluster.secret
        assert owner
        parameters = LoadParameters(
            contracts=self.contracts.s3_object_url,
            curated_database=lake.curated_database,
            ledger_table=ledger.table_name,
            staging_bucket=staging.bucket_name,
            cluster=store.cluster.cluster_arn,
            owner_secret=owner.secret_arn,
            reader_secret=store.reader_secret.secret_arn,
            store_database=DATABASE,
            embeddings=settings.store.embeddings,
            vector_bucket=vectors.arn if vectors else "",
            partner_secret=store.partner_secret.secret_arn if store.partner_secret else "",
            partner_datasets=" ".join(settings.partner.readable(contracts) if store.partner_secret else ()),
        )
        self.job = self.make(
            to_arguments(parameters),
            description="Brings a dataset's tables in the store up to a snapshot",
            timeout_minutes=settings.limits.job_timeout_minutes,
            max_concurrent_runs=settings.limits.max_concurrent_runs,
        )
        self._allow_loading(lake, store, staging)
        let_embed(self.role, settings)
        if vectors:
            vectors.let(self.role, WRITING)
        allow(self.role, "dynamodb:UpdateItem", ledger.table_arn)

    def _allow_loading(self, lake: LakeStack, store: StoreCluster, staging: s3.Bucket) -> None:
        role = self.role
        allow(role, "s3:GetObject", f"{lake.curated_arn}/*", why_wildcards=FILES)
        files = staging.arn_for_objects("loads/*")
        allow(role, "s3:PutObject s3:DeleteObject", files, why_wildcards="The files of each load")
        allow_finding(role, lake)
        allow(role, "kms:Decrypt kms:GenerateDataKey", lake.key.key_arn)
        owner = store.cluster.secret
        assert owner
        users = [secret.secret_arn for secret in (store.reader_secret, store.partner_secret) if secret]
        allow(role, "secretsmanager:GetSecretValue", owner.secret_arn, *users)
        calls = " ".join(f"rds-data:{name}" for name in TRANSACTIONS.split())
        allow(role, calls, store.cluster.cluster_arn)
