"""The function that answers an application's question in words from the store's texts."""

from aws_cdk import Arn, ArnComponents, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from causeway.flow.parameters import SearchParameters
from causeway.settings import Settings
from causeway.store.embeddings import TITAN
from stacks.company.lake import LakeStack
from stacks.company.store_cluster import DATABASE, StoreCluster
from stacks.company.store_vectors import READING, StoreVectors
from stacks.parts import assets
from stacks.parts.functions import PythonFunction
from stacks.parts.permissions import allow


class StoreSearch(PythonFunction):
    """`function` reads the store as its reader, and that alone."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        store: StoreCluster,
        vectors: StoreVectors | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name="search",
            description="Answers questions in words from the store's texts",
            parameters=SearchParameters(
                cluster=store.cluster.cluster_arn,
                reader_secret=store.reader_secret.secret_arn,
                store_database=DATABASE,
                embeddings=settings.store.embeddings,
                vector_bucket=vectors.arn if vectors else "",
                answers=settings.store.answers,
            ),
            settings=settings,
            timeout=Duration.minutes(4),  # a store that paused takes its time to resume
            shared=assets.SEARCH,
        )
        allow(self.role, "rds-data:ExecuteStatement", store.cluster.cluster_arn)
        allow(self.role, "secretsmanager:GetSecretValue", store.reader_secret.secret_arn)
        allow(self.role, "kms:Decrypt", lake.key.key_arn)
        let_embed(self.role, settings)
        if vectors:
            vectors.let(self.role, READING)
        if settings.store.answers:
            _let_ask(self.role, settings.store.answers)


def let_embed(role: iam.Role, settings: Settings) -> None:
    """Ask Bedrock's model, if the settings choose it."""
    if settings.store.embeddings == "bedrock":
        _let_ask(role, TITAN)


def _let_ask(role: iam.Role, name: str) -> None:
    model = ArnComponents(service="bedrock", account="", resource="foundation-model", resource_name=name)
    allow(role, "bedrock:InvokeModel", Arn.format(model, Stack.of(role)))
