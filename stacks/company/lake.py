"""The lake: where data lands, where it is kept, and the queue that says it landed."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from causeway.contract.model import Contract
from causeway.flow.datasets import LANDING_PREFIX
from causeway.settings import Settings
from stacks.parts.buckets import private_bucket
from stacks.parts.functions import removal_policy
from stacks.parts.roles import PARTNER_PATH
from stacks.parts.vectors import let_index_vectors

# Lambda asks for a visibility timeout of at least six times the function's.
BATCHING_TIMEOUT = Duration.minutes(2)


class LakeStack(Stack):
    """Buckets, key, catalog databases and the queue of landing events."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        contracts: Mapping[str, Contract],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, self._removal = settings, removal_policy(settings)
        limits = settings.limits

        self.key = self._make_key()
        self.hash_key = self._hash_key() if any(c.hashed for c in contracts.values()) else None
        self.log_bucket = private_bucket(
            self,
            "Logs",
            settings,
            # Log delivery cannot write under a customer key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(limits.log_retention_days))],
        )
        self.dead_letters = self._queue("DeadLetters", retention_period=Duration.days(14))
        self.landing_events = self._queue(
            "LandingEvents",
            retention_period=Duration.days(7),
            visibility_timeout=Duration.minutes(6 * BATCHING_TIMEOUT.to_minutes()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=5),
        )
        self.landing_bucket = self._data_bucket("Landing", limits.landing_retention_days)
        self.curated_bucket = self._data_bucket("Curated", None)
        # Rejected rows are a table's: S3 would take its files from under it. The job deletes those rows.
        self.quarantine_bucket = self._data_bucket(
            "Quarantine", limits.quarantine_retention_days, "unrouted/"
        )
        self._notify_of_landing()
        self._limit_partner(settings)

        self.curated_database = self._database("CuratedDatabase", settings.database("lake"))
        self.quarantine_database = self._database("QuarantineDatabase", settings.database("quarantine"))

        # Exported by name: a stack that stops needing one can then be deployed before this one, and
        # acknowledgments can spell the resources they speak of.
        self.landing_arn = self.export_value(self.landing_bucket.bucket_arn)
        self.curated_arn = self.export_value(self.curated_bucket.bucket_arn)
        self.quarantine_arn = self.export_value(self.quarantine_bucket.bucket_arn)
        self._outputs()

    def _make_key(self) -> kms.Key:
        key = kms.Key(
            self, "Key", description="Causeway's data", enable_key_rotation=True, removal_policy=self._removal
        )
        let_index_vectors(key, self._settings)
        return key

    def _hash_key(self) -> kms.Key:
        return kms.Key(
            self,
            "HashKey",
            description="Behind the hashes that the partner gets instead of values",
            key_spec=kms.KeySpec.HMAC_256,  # not rotated: what was hashed before would no longer join
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=self._removal,
        )

    def _data_bucket(self, name: str, retention_days: int | None, prefix: str | None = None) -> s3.Bucket:
        """A bucket whose objects (those below the prefix) expire after so many days, or never."""
        expiring = (
            [s3.LifecycleRule(expiration=Duration.days(retention_days), prefix=prefix)]
            if retention_days
            else []
        )
        bucket = private_bucket(
            self,
            name,
            self._settings,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            versioned=True,
            server_access_logs_bucket=self.log_bucket,
            server_access_logs_prefix=f"{name.lower()}/",
            lifecycle_rules=[
                *expiring,
                s3.LifecycleRule(
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                ),
            ],
        )
        self._deny_other_keys(bucket)
        return bucket

    def _deny_other_keys(self, bucket: s3.Bucket) -> None:
        # A request that says nothing of encryption is fine: default encryption takes our key. One that
        # asks for another key is not, and nor is one that asks for encryption and names no key: S3
        # would take a key of its own. Null keeps the requests that say nothing out of it.
        header = "s3:x-amz-server-side-encryption"
        named = f"{header}-aws-kms-key-id"
        not_ours = {"StringNotEquals": {named: self.key.key_arn}}
        refused: dict[str, dict[str, Any]] = {
            "DenyOtherKeys": {"Null": {named: "false"}, **not_ours},
            "DenyOtherEncryption": {"Null": {header: "false"}, **not_ours},
            "DenyCustomerKeys": {"Null": {f"{header}-customer-algorithm": "false"}},
        }
        for sid, conditions in refused.items():
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:PutObject"],
                    resources=[bucket.arn_for_objects("*")],
                    conditions=conditions,
                )
            )

    def _limit_partner(self, settings: Settings) -> None:
        """What the partner's roles cannot do, whatever their own policies come to say."""
        landing, may_land = self.landing_bucket, settings.partner.may_land
        left: dict[s3.Bucket, list[str]] = {
            self.curated_bucket: ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"],
            landing: ["s3:PutObject"] if may_land else [],
            self.quarantine_bucket: [],
            self.log_bucket: [],
        }
        for bucket, actions in left.items():
            scope: dict[str, Any] = {"not_actions": actions} if actions else {"actions": ["s3:*"]}
            everything = [bucket.bucket_arn, bucket.arn_for_objects("*")]
            bucket.add_to_resource_policy(self._deny_partner(**scope, resources=everything))
        if may_land:
            files = [landing.arn_for_objects(f"{LANDING_PREFIX}{dataset}/*") for dataset in may_land]
            elsewhere = self._deny_partner("Elsewhere", actions=["s3:PutObject"], not_resources=files)
            landing.add_to_resource_policy(elsewhere)
        by_s3, by_secrets = (f"{name}.{self.region}.amazonaws.com" for name in ("s3", "secretsmanager"))
        through = [by_s3, by_secrets] if settings.store.partner_reads else by_s3
        directly = {"StringNotEquals": {"kms:ViaService": through}}
        self.key.add_to_resource_policy(
            self._deny_partner("Directly", actions=["kms:*"], resources=["*"], conditions=directly)
        )

    def _deny_partner(
        self, where: str = "", *, conditions: dict[str, Any] | None = None, **what: Any
    ) -> iam.PolicyStatement:
        roles = self.format_arn(
            service="iam", region="", resource="role", resource_name=f"{PARTNER_PATH.strip('/')}/*"
        )
        return iam.PolicyStatement(
            sid=f"DenyPartner{where}",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            conditions={"ArnLike": {"aws:PrincipalArn": roles}, **(conditions or {})},
            **what,
        )

    def _queue(self, construct_id: str, **kwargs: Any) -> sqs.Queue:
        # SQS's own key: S3 can use it without a key policy, where a customer key that lacks one
        # makes events vanish in silence. The messages hold keys and sizes, no data.
        return sqs.Queue(
            self,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=self._removal,
            **kwargs,
        )

    def _notify_of_landing(self) -> None:
        """S3 → SQS by the bucket's own property; the L2 way adds a Lambda with wide permissions."""
        self.landing_events.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowLandingBucket",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.landing_events.queue_arn],
                # Not aws:SourceArn: the bucket's name does not exist before this policy does.
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        bucket = self.landing_bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        prefix = s3.CfnBucket.FilterRuleProperty(name="prefix", value=LANDING_PREFIX)
        landed = s3.CfnBucket.NotificationFilterProperty(
            s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[prefix])
        )
        queue = self.landing_events.queue_arn
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event=event, queue=queue, filter=landed)
                # Not what lifecycle expires: a row outlives the file that brought it.
                for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
            ]
        )
        # S3 sends a test message when the notification is made, and refuses if it may not.
        bucket.node.add_dependency(self.landing_events.node.find_child("Policy"))

    def _database(self, construct_id: str, name: str) -> str:
        database = glue.CfnDatabase(
            self,
            construct_id,
            catalog_id=self.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name=name),
        )
        database.apply_removal_policy(self._removal)
        return name

    def _outputs(self) -> None:
        CfnOutput(self, "LandingBucket", value=self.landing_bucket.bucket_name)
        CfnOutput(self, "CuratedBucket", value=self.curated_bucket.bucket_name)
        CfnOutput(self, "QuarantineBucket", value=self.quarantine_bucket.bucket_name)
        CfnOutput(self, "LandingEventsUrl", value=self.landing_events.queue_url)
        CfnOutput(self, "DeadLettersUrl", value=self.dead_letters.queue_url)
        CfnOutput(self, "CuratedDatabaseName", value=self.curated_database)
        CfnOutput(
            self,
            "CuratedDataUrl",
            description="The S3 console, for the partner's console role: append a dataset and a slash",
            value=f"https://{self.region}.console.aws.amazon.com/s3/buckets/{self.curated_bucket.bucket_name}"
            f"?region={self.region}&prefix=",
        )
