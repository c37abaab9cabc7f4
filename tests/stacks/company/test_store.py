"""The relational store: off unless settings say so, behind no door, and nothing while it is idle."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from causeway.contract.model import Column, Contract
from causeway.operate.idle import STORE_ALARMS
from causeway.settings import Settings
from tests.stacks.conftest import build_app, named, resources

KEY = Column("id", "id", "integer", key=True)
CONTRACTS = {"films": Contract("films", "1.0.0", (KEY,), served=True), "logs": Contract("logs", "1.0.0", ())}


def store_of(settings: Settings, folder: Path, *, sandbox: bool) -> Template:
    store = settings.store.model_copy(update={"enabled": True})
    changed = settings.model_copy(update={"store": store, "sandbox": sandbox})
    app = build_app(changed, folder, CONTRACTS)
    (stack,) = (child for child in app.node.children if child.node.id == "causeway-store")
    assert isinstance(stack, cdk.Stack)
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def store(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Template:
    return store_of(settings, tmp_path_factory.mktemp("store"), sandbox=True)


def test_there_is_no_store_unless_the_settings_say_so(stacks: dict[str, cdk.Stack]) -> None:
    assert "store" not in stacks


def test_the_cluster_pauses_when_idle_and_is_encrypted_with_the_companys_key(store: Template) -> None:
    cluster = named(store, "AWS::RDS::DBCluster", "Store")
    assert cluster["ServerlessV2ScalingConfiguration"] == {
        "MinCapacity": 0,
        "MaxCapacity": 4,
        "SecondsUntilAutoPause": 300,
    }
    assert cluster["StorageEncrypted"]
    assert "LakeKey" in str(cluster["KmsKeyId"]) or "Key" in str(cluster["KmsKeyId"])
    assert cluster["EnableHttpEndpoint"]
    assert cluster["EnableIAMDatabaseAuthentication"]
    assert "MasterUserPassword" in cluster
    assert "resolve:secretsmanager" in str(cluster["MasterUserPassword"])


def test_nothing_leads_into_its_network_or_out_of_it_but_to_s3(store: Template) -> None:
    for kind in ("InternetGateway", "NatGateway", "EIP", "VPCGatewayAttachment", "SecurityGroupIngress"):
        assert not resources(store, f"AWS::EC2::{kind}"), kind
    (endpoint,) = resources(store, "AWS::EC2::VPCEndpoint").values()
    assert endpoint["Properties"].get("VpcEndpointType", "Gateway") == "Gateway"
    assert "SecurityGroupIngress" not in named(store, "AWS::EC2::SecurityGroup", "StoreFirewall")
    (instance,) = resources(store, "AWS::RDS::DBInstance").values()
    assert instance["Properties"]["DBInstanceClass"] == "db.serverless"
    assert not instance["Properties"].get("PubliclyAccessible")


@pytest.mark.parametrize(("sandbox", "days"), [(True, 1), (False, 14)])
def test_outside_sandboxes_it_is_protected_and_backed_up_for_longer(
    settings: Settings, tmp_path: Path, sandbox: bool, days: int
) -> None:
    template = store_of(settings, tmp_path, sandbox=sandbox)
    cluster = named(template, "AWS::RDS::DBCluster", "Store")
    assert (cluster["DeletionProtection"], cluster["BackupRetentionPeriod"]) == (not sandbox, days)


def test_commits_of_what_is_served_start_a_load_and_others_do_not(store: Template) -> None:
    store.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["causeway"],
                "detail-type": ["Dataset Curated"],
                "detail": {"dataset": ["films"]},
            },
            "Targets": [
                Match.object_like(
                    {
                        "InputTransformer": Match.object_like(
                            {"InputTemplate": Match.string_like_regexp("changes")}
                        )
                    }
                )
            ],
        },
    )


def test_a_load_that_fails_or_never_ends_is_an_alarm_and_has_its_price(store: Template) -> None:
    alarms = {name for name in resources(store, "AWS::CloudWatch::Alarm") if name.startswith("Load")}
    assert len(alarms) == STORE_ALARMS
    for alarm in alarms:
        properties = named(store, "AWS::CloudWatch::Alarm", alarm)
        assert properties["AlarmActions"]
        assert properties["Threshold"] == 1


def test_what_is_staged_expires(store: Template) -> None:
    bucket = named(store, "AWS::S3::Bucket", "Staging")
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 1
