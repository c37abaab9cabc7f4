"""Vectors in S3 Vectors, if settings say so: an index a dataset, encrypted, written by one, read by one."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.contract.model import Column, Contract
from causeway.settings import Settings
from causeway.store.embeddings import DIMENSION
from tests.stacks.conftest import build_app, resources

KEY, TEXT = Column("id", "id", "integer", key=True), Column("plot", "plot", "string", embedded=True)
CONTRACTS = {
    "old_films": Contract("old_films", "1.0.0", (KEY, TEXT), served=True),
    "logs": Contract("logs", "1.0.0", (KEY,), served=True),
}


def stacks_of(settings: Settings, folder: Path, vectors: str) -> Mapping[str, Template]:
    store = settings.store.model_copy(update={"enabled": True, "vectors": vectors})
    app = build_app(settings.model_copy(update={"store": store}), folder, CONTRACTS)
    stacks = (one for one in app.node.children if isinstance(one, cdk.Stack))
    return {
        stack.stack_name: Template.from_stack(stack) for stack in stacks if "training" not in stack.stack_name
    }


@pytest.fixture(scope="module")
def in_s3(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Template]:
    return stacks_of(settings, tmp_path_factory.mktemp("s3"), "s3")


def test_a_dataset_with_embedded_texts_has_an_index_under_the_companys_key(
    in_s3: Mapping[str, Template],
) -> None:
    store = in_s3["causeway-store"]
    (bucket,) = resources(store, "AWS::S3Vectors::VectorBucket").values()
    encryption = bucket["Properties"]["EncryptionConfiguration"]
    assert encryption["SseType"] == "aws:kms"
    assert "Key" in str(encryption["KmsKeyArn"])
    (index,) = resources(store, "AWS::S3Vectors::Index").values()
    assert index["Properties"]["IndexName"] == f"old-films-{DIMENSION}"
    assert index["Properties"]["Dimension"] == DIMENSION
    assert {tag["Key"]: tag["Value"] for tag in index["Properties"]["Tags"]}["project"] == "causeway"


def test_the_load_writes_the_index_and_the_search_reads_it_and_no_other_role_may(
    in_s3: Mapping[str, Template],
) -> None:
    may: dict[str, set[str]] = {}
    for template in in_s3.values():
        for policy in resources(template, "AWS::IAM::Policy").values():
            for one in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
                vectors = {action.partition(":")[2] for action in actions if action.startswith("s3vectors")}
                if vectors:
                    role = re.split("Role", str(policy["Properties"]["Roles"][0]["Ref"]))[0]
                    may[role] = vectors
                    assert "IndexArn" in str(one["Resource"])
                    assert "*" not in str(one["Resource"])
    assert may == {
        "Load": {"PutVectors", "DeleteVectors", "ListVectors"},
        "Search": {"QueryVectors", "GetVectors"},
    }


def test_the_key_opens_to_the_indexing_of_this_bucket_alone_and_only_where_it_is_chosen(
    in_s3: Mapping[str, Template], settings: Settings, tmp_path: Path
) -> None:
    def statements(stacks: Mapping[str, Template]) -> list[Any]:
        keys = resources(stacks["causeway-lake"], "AWS::KMS::Key").values()
        every = (one for key in keys for one in key["Properties"]["KeyPolicy"]["Statement"])
        return [one for one in every if "s3vectors" in str(one)]

    (statement,) = statements(in_s3)
    assert statement["Action"] == "kms:Decrypt"
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "111111111111"}
    assert "bucket/causeway-store-vectors" in str(statement["Condition"]["ArnLike"]["aws:SourceArn"])
    in_store = stacks_of(settings, tmp_path, "postgres")
    assert not statements(in_store)
    assert not resources(in_store["causeway-store"], "AWS::S3Vectors::VectorBucket")
