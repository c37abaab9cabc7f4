"""An empty lake for each test; starting moto takes longer than a test."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.glue_jobs.conftest import small_lake  # noqa: F401  # a fixture
from tests.partner_kit.lake import BUCKET, Lake


@pytest.fixture(scope="module")  # not longer: moto would answer for the embedded AWS, too
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session(region_name="us-east-1")


@pytest.fixture
def lake(session: boto3.Session) -> Iterator[Lake]:
    s3 = session.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    yield Lake(session, s3)
    for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=BUCKET)
