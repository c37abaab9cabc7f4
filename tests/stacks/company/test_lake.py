"""What the lake stack guarantees."""

from typing import Any

from aws_cdk.assertions import Match, Template
from syrupy.assertion import SnapshotAssertion

from tests.stacks.conftest import normalised, resources, statements


def test_the_template_is_the_reviewed_one(lake: Template, snapshot: SnapshotAssertion) -> None:
    assert normalised(lake) == snapshot


def test_no_bucket_is_public_and_every_object_is_the_owners(lake: Template) -> None:
    lake.all_resources_properties(
        "AWS::S3::Bucket",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        },
    )


def data_buckets(lake: Template) -> dict[str, Any]:
    return {
        k: v["Properties"] for k, v in resources(lake, "AWS::S3::Bucket").items() if not k.startswith("Logs")
    }


def test_data_buckets_are_versioned_and_encrypted_with_the_customer_key(lake: Template) -> None:
    (key,) = resources(lake, "AWS::KMS::Key")
    assert len(data_buckets(lake)) == 3
    for properties in data_buckets(lake).values():
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": [key, "Arn"]}
        assert rule["BucketKeyEnabled"] is True


def test_the_customer_key_is_rotated(lake: Template) -> None:
    lake.has_resource_properties("AWS::KMS::Key", {"EnableKeyRotation": True})


def test_every_data_bucket_logs_access_and_ends_old_versions_and_stale_uploads(lake: Template) -> None:
    for properties in data_buckets(lake).values():
        assert properties["LoggingConfiguration"]["DestinationBucketName"]
        (rule,) = (r for r in properties["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" not in r)
        assert "Prefix" not in rule
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_no_file_of_a_table_expires_under_it(lake: Template) -> None:
    expiring = {
        name.removesuffix("Bucket"): rule.get("Prefix")
        for name, properties in data_buckets(lake).items()
        for rule in properties["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }
    assert {name.rstrip("0123456789ABCDEF"): prefix for name, prefix in expiring.items()} == {
        "Landing": None,
        "Quarantine": "unrouted/",
    }


def test_every_bucket_refuses_plain_http_and_old_tls(lake: Template) -> None:
    policies = resources(lake, "AWS::S3::BucketPolicy")
    assert len(policies) == len(resources(lake, "AWS::S3::Bucket"))
    for policy in policies.values():
        conditions = [s.get("Condition", {}) for s in policy["Properties"]["PolicyDocument"]["Statement"]]
        assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


def test_landing_notifies_the_queue_by_its_own_property(lake: Template) -> None:
    (queue,) = [k for k in resources(lake, "AWS::SQS::Queue") if k.startswith("LandingEvents")]
    lake.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "NotificationConfiguration": {
                "QueueConfigurations": [
                    {
                        "Event": event,
                        "Queue": {"Fn::GetAtt": [queue, "Arn"]},
                        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "landing/"}]}},
                    }
                    # Removals too, but not what lifecycle expires.
                    for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
                ]
            }
        },
    )


def test_only_this_accounts_s3_may_send_landing_events(lake: Template) -> None:
    sends = [
        s
        for s in statements(lake, "AWS::SQS::QueuePolicy")
        if "sqs:SendMessage" in s["Action"] and s["Effect"] == "Allow"
    ]
    assert [(s["Principal"], s["Condition"]) for s in sends] == [
        ({"Service": "s3.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": "111111111111"}})
    ]


def test_the_notification_waits_for_the_permission_to_send(lake: Template) -> None:
    (landing,) = [v for k, v in resources(lake, "AWS::S3::Bucket").items() if k.startswith("Landing")]
    assert [d for d in landing["DependsOn"] if d.startswith("LandingEventsPolicy")]


def test_a_message_is_tried_five_times_and_then_kept_as_a_dead_letter_for_two_weeks(lake: Template) -> None:
    lake.has_resource_properties(
        "AWS::SQS::Queue",
        {
            "RedrivePolicy": {"maxReceiveCount": 5, "deadLetterTargetArn": Match.any_value()},
            "VisibilityTimeout": 720,
        },
    )
    lake.has_resource_properties("AWS::SQS::Queue", {"MessageRetentionPeriod": 14 * 24 * 3600})


def test_landing_and_quarantine_deny_the_partners_roles_everything(lake: Template) -> None:
    closed = set()
    for policy in resources(lake, "AWS::S3::BucketPolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            path = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/causeway/partner/*"}}
            if statement.get("Condition") == path and statement.get("Action") == "s3:*":
                assert statement["Effect"] == "Deny"
                closed.add(policy["Properties"]["Bucket"]["Ref"].rstrip("0123456789ABCDEF"))
    assert {"Landing", "Quarantine"} <= closed
