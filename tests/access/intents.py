"""The table: every intent there is, partner's first."""

from collections.abc import Iterator
from dataclasses import replace

from tests.access import intent as i
from tests.access.alerts import alerts
from tests.access.curating import curating
from tests.access.inference import inference
from tests.access.intent import Intent
from tests.access.policies import OPTIONS, REVOKED
from tests.access.request import Check
from tests.access.resolver import COMPANY, HERE, REGION
from tests.access.searching import searching
from tests.access.store import store
from tests.access.store_options import store_options
from tests.access.training import training

OPTIONAL, CLOSED = tuple(OPTIONS.items()), tuple(REVOKED.items())


def intents() -> list[Intent]:
    return [
        *_taking_roles(),
        *_reading(i.PROGRAMMATIC),
        *_reading(i.CONSOLE),
        *_held_by_resources(),
        *_encryption(),
        *_options(),
        *_revoked(),
        *_own_roles(),
        *_news(),
        *store(),
        *store_options(),
        *searching(),
        *inference(),
        *training(),
        *_logs(),
        *alerts(),
    ]


def _taking_roles() -> Iterator[Intent]:
    other = i.READER.replace
    yield Intent(
        "the partner's reader and its training take the programmatic role",
        (
            *i.take(i.PROGRAMMATIC, i.READER, i.EXTERNAL_ID),
            *i.take(i.PROGRAMMATIC, i.TRAINING, i.EXTERNAL_ID),
        ),
        {
            "without the external id": i.take(i.PROGRAMMATIC, i.READER, {}),
            "with a wrong external id": i.take(
                i.PROGRAMMATIC, i.READER, {"sts:ExternalId": "another-customers-id"}
            ),
            "from another account": i.take(i.PROGRAMMATIC, other(i.PARTNER, i.STRANGER), i.EXTERNAL_ID),
            "as another role": i.take(i.PROGRAMMATIC, other("reader", "intern"), i.EXTERNAL_ID),
            "as a user of that name": i.take(i.PROGRAMMATIC, other(":role/", ":user/"), i.EXTERNAL_ID),
            "as the account's root": i.take(i.PROGRAMMATIC, f"arn:aws:iam::{i.PARTNER}:root", i.EXTERNAL_ID),
            "as the console's analyst": i.take(i.PROGRAMMATIC, i.ANALYST, i.EXTERNAL_ID),
            "and tags the session": (Check(i.READER, "sts:TagSession", i.PROGRAMMATIC),),
            "and names a source": (Check(i.READER, "sts:SetSourceIdentity", i.PROGRAMMATIC),),
            "by a web identity": (Check(i.READER, "sts:AssumeRoleWithWebIdentity", i.PROGRAMMATIC),),
        },
    )
    console = i.take(i.CONSOLE, i.ANALYST, i.MFA)
    yield Intent(
        "the partner's analyst takes the console role with MFA",
        console,
        {
            "without MFA": i.changed(console, {"aws:MultiFactorAuthPresent": "false"}),
            "with access keys, which carry no MFA": i.take(i.CONSOLE, i.ANALYST, {}),
            "with only the age of an MFA": i.changed(console, {"aws:MultiFactorAuthPresent": None}),
            "with an MFA an hour old": i.changed(console, {"aws:MultiFactorAuthAge": "3600"}),
            "with an MFA of unknown age": i.changed(console, {"aws:MultiFactorAuthAge": None}),
            "from another account": i.take(i.CONSOLE, i.ANALYST.replace(i.PARTNER, i.STRANGER), i.MFA),
            "as another user": i.take(i.CONSOLE, i.ANALYST.replace("analyst", "intern"), i.MFA),
            "as the programs' reader": i.take(i.CONSOLE, i.READER, i.MFA),
            "and tags the session": (Check(i.ANALYST, "sts:TagSession", i.CONSOLE, i.MFA),),
        },
    )


def _reading(who: str) -> Iterator[Intent]:
    role = who.rsplit("-", 1)[1]
    file = i.read(who, i.CURATED)
    yield Intent(
        f"{role} reads a dataset's file",
        file,
        {
            "of landing": i.read(who, i.LANDING, "landing/flights/a.csv"),
            "of quarantine": i.read(who, i.QUARANTINE),
            "of the logs": i.read(who, i.LOGS),
            "of another bucket": i.read(who, "arn:aws:s3:::another"),
            "outside any dataset": i.read(who, i.CURATED, "loose.parquet"),
            "of a table without a contract": i.read(who, i.CURATED, "withdrawn/data/a.parquet"),
            "in an earlier version": i.read(who, i.CURATED, action="s3:GetObjectVersion"),
            "without TLS": (file[0].but({"aws:SecureTransport": "false"}),),
            "over TLS 1.1": (file[0].but({"s3:TlsVersion": "1.1"}),),
            "and replaces it": i.write(who, i.CURATED, i.FLIGHTS),
            "and deletes it": (Check(who, "s3:DeleteObject", f"{i.CURATED}/{i.FLIGHTS}"),),
            "and makes it public": (Check(who, "s3:PutObjectAcl", f"{i.CURATED}/{i.FLIGHTS}"),),
        },
    )
    decrypt = i.through_s3(who, "kms:Decrypt", i.CURATED)
    yield Intent(
        f"{role} uses the key through S3",
        (decrypt,),
        {
            "by itself": (decrypt.but({"kms:ViaService": None}),),
            "through another service": (decrypt.but({"kms:ViaService": f"sqs.{REGION}.amazonaws.com"}),),
            "for landing's objects": (i.through_s3(who, "kms:Decrypt", i.LANDING),),
            "for something else": (decrypt.but({"kms:EncryptionContext:aws:s3:arn": None}),),
            "to encrypt": (i.through_s3(who, "kms:GenerateDataKey", i.CURATED),),
            "but another key": (i.through_s3(who, "kms:Decrypt", i.CURATED, i.OTHER_KEY),),
        },
    )
    yield Intent(
        f"{role} lists a dataset's files",
        i.list_(who, i.CURATED, "flights/data/"),
        {
            "of the whole bucket": i.list_(who, i.CURATED, None),
            "with an empty prefix": i.list_(who, i.CURATED, ""),
            "of a table without a contract": i.list_(who, i.CURATED, "withdrawn/data/"),
            "of landing": i.list_(who, i.LANDING, "flights/data/"),
            "of quarantine": i.list_(who, i.QUARANTINE, "flights/data/"),
            "in all versions": i.list_(who, i.CURATED, "flights/data/", "s3:ListBucketVersions"),
            "of the account's buckets": (Check(who, "s3:ListAllMyBuckets", "*"),),
        },
    )
    yield Intent(
        f"{role} asks where the curated bucket is",
        (Check(who, "s3:GetBucketLocation", i.CURATED),),
        {
            "where landing is": (Check(who, "s3:GetBucketLocation", i.LANDING),),
            "what its policy is": (Check(who, "s3:GetBucketPolicy", i.CURATED),),
        },
    )
    yield Intent(
        f"{role} opens a table",
        (*i.table(who, "causeway_lake/flights"), *i.table(who, "causeway_lake/weather", "glue:GetTables")),
        {
            "without a contract": i.table(who, "causeway_lake/withdrawn"),
            "of quarantine": i.table(who, "causeway_quarantine/flights"),
            "of another database": i.table(who, "payroll/flights"),
            "and changes it": i.table(who, "causeway_lake/flights", "glue:UpdateTable"),
            "and drops it": i.table(who, "causeway_lake/flights", "glue:DeleteTable"),
        },
    )
    yield Intent(
        f"{role} opens the database",
        i.table(who, "causeway_lake/flights", "glue:GetDatabase")[:2],
        {
            "of quarantine": i.table(who, "causeway_quarantine/flights", "glue:GetDatabase")[:2],
            "and lists all databases": (Check(who, "glue:GetDatabases", f"{i.GLUE}:catalog"),),
            "and reads the ledger": (Check(who, "dynamodb:GetItem", i.LEDGER),),
            "and takes another role": (Check(who, "sts:AssumeRole", i.CURATE),),
        },
    )


def _held_by_resources() -> Iterator[Intent]:
    """A partner role whose policies someone has replaced by one that allows everything."""
    who = i.PROGRAMMATIC
    landing = f"{i.LANDING}/landing/flights/a.csv"
    yield Intent(
        "with mistaken policies, the partner still only reads curated",
        i.mistaken(
            (
                *i.read(who, i.CURATED),
                *i.list_(who, i.CURATED, None),
                Check(who, "s3:GetBucketLocation", i.CURATED),
            )
        ),
        {
            "and replaces a file": i.mistaken(i.write(who, i.CURATED, i.FLIGHTS)),
            "and deletes a file": i.mistaken((Check(who, "s3:DeleteObject", f"{i.CURATED}/{i.FLIGHTS}"),)),
            "and opens the bucket": i.mistaken((Check(who, "s3:PutBucketPolicy", i.CURATED),)),
            "and reads landing": i.mistaken((Check(who, "s3:GetObject", landing),)),
            "and lists landing": i.mistaken(i.list_(who, i.LANDING, "landing/")),
            "and lands a file": i.mistaken((Check(who, "s3:PutObject", landing),)),
            "and reads quarantine": i.mistaken((Check(who, "s3:GetObject", f"{i.QUARANTINE}/x"),)),
            "and lists quarantine": i.mistaken(i.list_(who, i.QUARANTINE, "")),
            "and reads the logs": i.mistaken((Check(who, "s3:GetObject", f"{i.LOGS}/x"),)),
            "and lists the logs": i.mistaken(i.list_(who, i.LOGS, "")),
            "and decrypts by itself": i.mistaken((Check(who, "kms:Decrypt", i.KEY),)),
            "and decrypts through SQS": i.mistaken(
                (Check(who, "kms:Decrypt", i.KEY, {"kms:ViaService": f"sqs.{REGION}.amazonaws.com"}),)
            ),
            "and deletes the key": i.mistaken((Check(who, "kms:ScheduleKeyDeletion", i.KEY),)),
        },
    )
    yield Intent(
        "the company's admin reads what the partner must not",
        (
            *(Check(i.ADMIN, "s3:GetObject", f"{bucket}/x") for bucket in (i.LANDING, i.QUARANTINE, i.LOGS)),
            Check(i.ADMIN, "kms:Decrypt", i.KEY),
            *i.list_(i.ADMIN, i.LANDING, ""),
        ),
        {
            f"{bucket.rsplit('-', 1)[1]} {how}": (Check(i.ADMIN, "s3:GetObject", f"{bucket}/x", context),)
            for bucket in (i.LANDING, i.CURATED, i.QUARANTINE, i.LOGS)
            for how, context in (
                ("without TLS", {"aws:SecureTransport": "false"}),
                ("over TLS 1.1", {"s3:TlsVersion": "1.1"}),
            )
        }
        | {
            f"{bucket.rsplit('-', 1)[1]} from another account": (
                Check(i.ADMIN.replace(COMPANY, i.STRANGER), "s3:GetObject", f"{bucket}/x"),
            )
            for bucket in (i.LANDING, i.CURATED, i.QUARANTINE, i.LOGS)
        }
        | {
            f"{bucket.rsplit('-', 1)[1]}'s list without TLS": (
                Check(i.ADMIN, "s3:ListBucket", bucket, {"aws:SecureTransport": "false"}),
            )
            for bucket in (i.LANDING, i.CURATED, i.QUARANTINE, i.LOGS)
        }
        | {
            f"{bucket.rsplit('-', 1)[1]}'s list over TLS 1.1": (
                Check(i.ADMIN, "s3:ListBucket", bucket, {"s3:TlsVersion": "1.1"}),
            )
            for bucket in (i.LANDING, i.CURATED, i.QUARANTINE, i.LOGS)
        }
        | {
            "the key from another account": (
                Check(i.ADMIN.replace(COMPANY, i.STRANGER), "kms:Decrypt", i.KEY),
            )
        },
    )


def _encryption() -> Iterator[Intent]:
    for bucket in (i.LANDING, i.CURATED, i.QUARANTINE):
        put = Check(i.ADMIN, "s3:PutObject", f"{bucket}/x")
        ours = {i.SSE: "aws:kms", f"{i.SSE}-aws-kms-key-id": i.KEY}
        yield Intent(
            f"{bucket.rsplit('-', 1)[1]} takes a write that says nothing of encryption, or names our key",
            (put, put.but(ours)),
            {
                "and names another key": (put.but({**ours, f"{i.SSE}-aws-kms-key-id": i.OTHER_KEY}),),
                "and names only another key": (put.but({f"{i.SSE}-aws-kms-key-id": i.OTHER_KEY}),),
                "and lets S3 choose a key": (put.but({i.SSE: "aws:kms"}),),
                "and asks for S3's own encryption": (put.but({i.SSE: "AES256"}),),
                "and brings a key along": (put.but({f"{i.SSE}-customer-algorithm": "AES256"}),),
            },
        )


def _options() -> Iterator[Intent]:
    who = i.PROGRAMMATIC
    here = {"aws:SourceVpce": i.ENDPOINT}

    def near(checks: i.Checks) -> i.Checks:
        return tuple(check.but(here) if check.action.startswith("s3:") else check for check in checks)

    yield Intent(
        "some datasets alone: the partner reads them",
        near((*i.read(who, i.CURATED), *i.list_(who, i.CURATED, "flights/")))
        + i.table(who, "causeway_lake/flights"),
        {
            "another one's file": near(i.read(who, i.CURATED, "weather/x")),
            "another one's list": near(i.list_(who, i.CURATED, "weather/")),
            "another one's table": i.table(who, "causeway_lake/weather"),
            "from outside its VPC endpoint": i.read(who, i.CURATED),
            "through another endpoint": (
                i.read(who, i.CURATED)[0].but({"aws:SourceVpce": "vpce-00000000000000000"}),
            ),
        },
        OPTIONAL,
    )
    yield Intent(
        "may land: the partner puts a file into its dataset",
        near(
            (
                *i.write(who, i.LANDING, "landing/flights/a.csv"),
                i.through_s3(who, "kms:Decrypt", i.LANDING),
            )
        ),
        {
            "into another dataset": near(i.write(who, i.LANDING, "landing/weather/a.csv")),
            "among the manifests": near(i.write(who, i.LANDING, "batches/a.json")),
            "into quarantine": near(i.write(who, i.QUARANTINE, "landing/flights/a.csv")),
            "into curated": near(i.write(who, i.CURATED, "landing/flights/a.csv")),
            "and reads it back": near(i.read(who, i.LANDING, "landing/flights/a.csv")),
            "and deletes it": near((Check(who, "s3:DeleteObject", f"{i.LANDING}/landing/flights/a.csv"),)),
            "and lists it": near(i.list_(who, i.LANDING, "landing/flights/")),
            "with the key by itself": (Check(who, "kms:GenerateDataKey", i.KEY),),
            "with the key for quarantine": (i.through_s3(who, "kms:GenerateDataKey", i.QUARANTINE),),
            "with the key for curated": (i.through_s3(who, "kms:GenerateDataKey", i.CURATED),),
            "from outside its VPC endpoint": i.write(who, i.LANDING, "landing/flights/a.csv"),
        },
        OPTIONAL,
    )
    yield Intent(
        "may land: with mistaken policies, it is still only that",
        i.mistaken((Check(who, "s3:PutObject", f"{i.LANDING}/landing/flights/a.csv"),)),
        {
            "another dataset": i.mistaken(
                (Check(who, "s3:PutObject", f"{i.LANDING}/landing/weather/a.csv"),)
            ),
            "the manifests": i.mistaken((Check(who, "s3:PutObject", f"{i.LANDING}/batches/a"),)),
            "reading back": i.mistaken((Check(who, "s3:GetObject", f"{i.LANDING}/landing/flights/a.csv"),)),
            "listing": i.mistaken(i.list_(who, i.LANDING, "landing/flights/")),
            "opening the bucket": i.mistaken((Check(who, "s3:PutBucketPolicy", i.LANDING),)),
        },
        OPTIONAL,
    )
    yield Intent(
        "may land: the company's own go on",
        (
            *i.write(i.BATCHING, i.LANDING, "batches/a.json"),
            *i.read(i.CURATE, i.LANDING, "landing/weather/a.csv"),
            *i.write(i.ADMIN, i.LANDING, "landing/weather/a.csv"),
        ),
        {"for the partner": i.mistaken(i.write(who, i.LANDING, "landing/weather/a.csv"))},
        OPTIONAL,
    )
    named = {**i.EXTERNAL_ID, "sts:SourceIdentity": "training-7"}
    yield Intent(
        "source identity: the reader takes the role under the name of who is behind it",
        (
            *i.take(who, i.READER, named),
            *i.take(who, i.TRAINING, named),
            *(
                Check(one, "sts:SetSourceIdentity", who, {"sts:SourceIdentity": "training-7"})
                for one in (i.READER, i.TRAINING)
            ),
        ),
        {
            "under no name": i.take(who, i.READER, i.EXTERNAL_ID),
            "with a wrong external id": i.take(
                who, i.READER, {**named, "sts:ExternalId": "another-customers-id"}
            ),
            "taken from another account": i.take(who, i.READER.replace(i.PARTNER, i.STRANGER), named),
            "taken as another role": i.take(who, i.READER.replace("reader", "intern"), named),
            "under an empty name": i.take(who, i.READER, {**named, "sts:SourceIdentity": ""}),
            "without the external id": i.take(who, i.READER, {"sts:SourceIdentity": "training-7"}),
            "from another account": (
                Check(i.READER.replace(i.PARTNER, i.STRANGER), "sts:SetSourceIdentity", who),
            ),
            "as another role": (Check(i.READER.replace("reader", "intern"), "sts:SetSourceIdentity", who),),
        },
        OPTIONAL,
    )
    analyst = f"{i.SSO}/AWSReservedSSO_Analysts_0123456789abcdef"
    yield Intent(
        "single sign-on: an analyst takes the console role, MFA being the identity provider's",
        i.take(i.CONSOLE, analyst, {}),
        {
            "with another permission set": i.take(i.CONSOLE, analyst.replace("Analysts", "Interns"), {}),
            "from another account": i.take(i.CONSOLE, analyst.replace(i.PARTNER, i.STRANGER), {}),
            "and tags the session": (Check(analyst, "sts:TagSession", i.CONSOLE),),
            "by a role named alike": i.take(
                i.CONSOLE, analyst.replace("aws-reserved/sso.amazonaws.com/", ""), {}
            ),
        },
        OPTIONAL,
    )


def _revoked() -> Iterator[Intent]:
    """The same requests are allowed above, where nothing is revoked."""
    yield Intent(
        "revoked: the company's own roles go on",
        (Check(i.CURATE, "s3:GetObject", f"{i.LANDING}/landing/flights/a.csv"),),
        {
            "taking the programmatic role": i.take(i.PROGRAMMATIC, i.READER, i.EXTERNAL_ID),
            "taking the console role": i.take(i.CONSOLE, i.ANALYST, i.MFA),
            "a live programmatic session": (i.read(i.PROGRAMMATIC, i.CURATED)[0],),
            "a live console session": (i.read(i.CONSOLE, i.CURATED)[0],),
            "the catalog": (i.table(i.PROGRAMMATIC, "causeway_lake/flights")[0],),
        },
        CLOSED,
    )


def _own_roles() -> Iterator[Intent]:
    job, other_job = (f"{i.GLUE}:job/{name}" for name in ("causeway-pipeline-curate-job", "another"))
    yield Intent(
        "the state machine runs the job, reads the outcome, says so",
        (
            Check(i.MACHINE, "glue:StartJobRun", job),
            Check(i.MACHINE, "glue:GetJobRun", job),
            Check(i.MACHINE, "dynamodb:GetItem", i.LEDGER),
            Check(i.MACHINE, "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"),
            Check(i.MACHINE, "sns:Publish", f"arn:aws:sns:{HERE}:causeway-pipeline-failures"),
        ),
        {
            "another job": (Check(i.MACHINE, "glue:StartJobRun", other_job),),
            "writes the ledger": (Check(i.MACHINE, "dynamodb:PutItem", i.LEDGER),),
            "reads data": (Check(i.MACHINE, "s3:GetObject", f"{i.LANDING}/landing/flights/a.csv"),),
            "another topic": (Check(i.MACHINE, "sns:Publish", f"arn:aws:sns:{HERE}:another"),),
        },
    )
    yield Intent(
        "the batching Lambda takes events, writes manifests, starts executions",
        (
            Check(i.BATCHING, "sqs:ReceiveMessage", i.QUEUE),
            *i.write(i.BATCHING, i.LANDING, "batches/flights/a.json"),
            *i.write(i.BATCHING, i.QUARANTINE, "unrouted/a.json"),
            Check(
                i.BATCHING,
                "states:StartExecution",
                f"arn:aws:states:{HERE}:stateMachine:causeway-pipeline-batches-machine",
            ),
        ),
        {
            "reads a source": i.read(i.BATCHING, i.LANDING, "landing/flights/a.csv"),
            "lands a file": i.write(i.BATCHING, i.LANDING, "landing/flights/a.csv"),
            "writes curated": i.write(i.BATCHING, i.CURATED, i.FLIGHTS),
            "another state machine": (
                Check(i.BATCHING, "states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:another"),
            ),
        },
    )
    yield from curating()
    yield from _profiles()
    yield from _prices()
    yield from _measures()
    yield from _activation()
    yield Intent(
        "the tables' upkeep changes their files and their metadata",
        (
            *i.read(i.UPKEEP, i.CURATED, i.FLIGHTS),
            *i.write(i.UPKEEP, i.CURATED, i.FLIGHTS),
            Check(i.UPKEEP, "s3:DeleteObject", f"{i.QUARANTINE}/rejected/flights/a"),
            *i.table(i.UPKEEP, "causeway_quarantine/flights", "glue:UpdateTable"),
        ),
        {
            "reads a source": i.read(i.UPKEEP, i.LANDING, "landing/flights/a.csv"),
            "deletes what was set aside": (
                Check(i.UPKEEP, "s3:DeleteObject", f"{i.QUARANTINE}/unrouted/a.json"),
            ),
            "another database": i.table(i.UPKEEP, "payroll/flights", "glue:UpdateTable"),
            "drops a table": i.table(i.UPKEEP, "causeway_lake/flights", "glue:DeleteTable"),
        },
    )
    send = Check("s3.amazonaws.com", "sqs:SendMessage", i.QUEUE, {"aws:SourceAccount": COMPANY})
    yield Intent(
        "S3 announces what lands in the company's bucket",
        (send,),
        {
            "for another account": (send.but({"aws:SourceAccount": i.STRANGER}),),
            "for nobody": (send.but({"aws:SourceAccount": None}),),
            "as another service": (Check("sns.amazonaws.com", "sqs:SendMessage", i.QUEUE, send.context),),
            "and takes messages": (Check("s3.amazonaws.com", "sqs:ReceiveMessage", i.QUEUE, send.context),),
            "without TLS": (send.but({"aws:SecureTransport": "false"}),),
        },
    )
    redrive = Check(i.ADMIN, "sqs:SendMessage", f"arn:aws:sqs:{HERE}:causeway-lake-deadletters")
    yield Intent(
        "the company's admin redrives a dead letter",
        (redrive,),
        {
            "without TLS": (redrive.but({"aws:SecureTransport": "false"}),),
            "from another account": (replace(redrive, principal=i.ADMIN.replace(COMPANY, i.STRANGER)),),
        },
    )


def _profiles() -> Iterator[Intent]:
    profile = "flights/profiles/1.json"
    yield Intent(
        "the profile job reads curated tables, writes profiles beside them, and its outcome",
        (
            *i.read(i.PROFILE, i.CURATED, i.FLIGHTS),
            *i.write(i.PROFILE, i.CURATED, profile),
            Check(i.PROFILE, "s3:DeleteObject", f"{i.CURATED}/flights/profiles/files/a/b"),
            *i.table(i.PROFILE, "causeway_lake/flights", "glue:GetTable"),
            Check(i.PROFILE, "dynamodb:UpdateItem", i.LEDGER),
        ),
        {
            "changes a table's file": i.write(i.PROFILE, i.CURATED, i.FLIGHTS),
            "deletes a table's file": (Check(i.PROFILE, "s3:DeleteObject", f"{i.CURATED}/{i.FLIGHTS}"),),
            "changes a table": i.table(i.PROFILE, "causeway_lake/flights", "glue:UpdateTable"),
            "reads a source": i.read(i.PROFILE, i.LANDING, "landing/flights/a.csv"),
            "reads the quarantine": i.read(i.PROFILE, i.QUARANTINE, "rejected/flights/a"),
            "another database": i.table(i.PROFILE, "causeway_quarantine/flights", "glue:GetTable"),
            "reads the ledger": (Check(i.PROFILE, "dynamodb:GetItem", i.LEDGER),),
        },
    )
    machine = f"arn:aws:states:{HERE}:stateMachine:causeway-pipeline-profiles-machine"
    yield Intent(
        "after a commit a function starts the execution that profiles",
        (
            Check(i.SCHEDULE, "states:StartExecution", machine),
            Check(i.SCHEDULE, "dynamodb:UpdateItem", i.LEDGER),
        ),
        {
            "a batch's execution": (
                Check(i.SCHEDULE, "states:StartExecution", machine.replace("profiles", "batches")),
            ),
            "reads data": i.read(i.SCHEDULE, i.CURATED, i.FLIGHTS),
            "empties the ledger": (Check(i.SCHEDULE, "dynamodb:DeleteItem", i.LEDGER),),
        },
    )
    job = f"{i.GLUE}:job/causeway-pipeline-profiles-profile-job"
    yield Intent(
        "the machine of profiles runs its job and says so",
        (
            Check(i.PROFILES_MACHINE, "glue:StartJobRun", job),
            Check(i.PROFILES_MACHINE, "dynamodb:UpdateItem", i.LEDGER),
            Check(i.PROFILES_MACHINE, "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"),
        ),
        {
            "the curating job": (
                Check(i.PROFILES_MACHINE, "glue:StartJobRun", job.replace("profiles-profile", "curate")),
            ),
            "reads data": i.read(i.PROFILES_MACHINE, i.CURATED, i.FLIGHTS),
        },
    )


def _prices() -> Iterator[Intent]:
    """Of the Glue jobs' runs, into the ledger."""
    look = Check(i.PRICE, "glue:GetJobRun", f"{i.GLUE}:job/causeway-pipeline-curate-job")
    write = Check(i.PRICE, "dynamodb:PutItem", i.LEDGER, {"dynamodb:LeadingKeys": ["#runs"]})
    yield Intent(
        "at a run's end a function writes what it cost",
        (look, replace(look, resource=look.resource.replace("curate", "profiles-profile")), write),
        {
            "what became of a source": (write.but({"dynamodb:LeadingKeys": ["flights"]}),),
            "both": (write.but({"dynamodb:LeadingKeys": ["#runs", "flights"]}),),
            "another job's run": (replace(look, resource=f"{i.GLUE}:job/other"),),
            "starts a run": (replace(look, action="glue:StartJobRun"),),
            "reads data": i.read(i.PRICE, i.CURATED, i.FLIGHTS),
            "reads a source": i.read(i.PRICE, i.LANDING, "landing/flights/a.csv"),
            "reads the ledger": (Check(i.PRICE, "dynamodb:GetItem", i.LEDGER),),
            "empties the ledger": (Check(i.PRICE, "dynamodb:DeleteItem", i.LEDGER),),
        },
    )


def _measures() -> Iterator[Intent]:
    """Of commits, of what runs, and of what does not come."""
    machine = f"arn:aws:states:{HERE}:stateMachine:causeway-pipeline-batches-machine"
    look = Check(i.MEASURE, "states:ListExecutions", machine)
    yield Intent(
        "a function measures commits, running batches and freshness",
        (
            look,
            Check(i.MEASURE, "dynamodb:Query", i.LEDGER),
            Check(i.MEASURE, "dynamodb:UpdateItem", i.LEDGER),
        ),
        {
            "the executions of profiles": (replace(look, resource=machine.replace("batches", "profiles")),),
            "starts an execution": (replace(look, action="states:StartExecution"),),
            "empties the ledger": (Check(i.MEASURE, "dynamodb:DeleteItem", i.LEDGER),),
            "another ledger": (Check(i.MEASURE, "dynamodb:Query", i.LEDGER.replace("ledger", "other")),),
            "reads data": i.read(i.MEASURE, i.CURATED, i.FLIGHTS),
            "reads a source": i.read(i.MEASURE, i.LANDING, "landing/flights/a.csv"),
        },
    )


def _activation() -> Iterator[Intent]:
    """Of the tags, in billing."""
    verbs = ("List{}s", "Update{}sStatus", "List{}BackfillHistory", "Start{}Backfill")
    asked = tuple(Check(i.ACTIVATE, f"ce:{verb.format('CostAllocationTag')}", "*") for verb in verbs)
    yield Intent(
        "daily a function activates the tags in billing",
        asked,
        {
            "changes who sees the bill": (replace(asked[0], action="ce:UpdatePreferences"),),
            "changes a budget": (
                Check(i.ACTIVATE, "budgets:ModifyBudget", f"arn:aws:budgets::{COMPANY}:budget/causeway"),
            ),
            "reads data": i.read(i.ACTIVATE, i.CURATED, i.FLIGHTS),
            "reads a source": i.read(i.ACTIVATE, i.LANDING, "landing/flights/a.csv"),
        },
    )


def _news() -> Iterator[Intent]:
    """Of commits, from the company's default bus to the partner's."""
    tell = Check(i.NEWS, "events:PutEvents", i.BUS, i.COMMIT)
    yield Intent(
        "EventBridge tells the partner's bus of commits",
        (tell,),
        {
            "of something else": (tell.but({"events:detail-type": ["Dataset Profiled"]}),),
            "of something else besides": (
                tell.but({"events:detail-type": ["Dataset Curated", "Dataset Profiled"]}),
            ),
            "in another's name": (tell.but({"events:source": ["aws.s3"]}),),
            "of no source": (tell.but({"events:source": None}),),
            "of no type": (tell.but({"events:detail-type": None}),),
            "another bus of the partner's": (
                replace(tell, resource=i.BUS.replace("causeway-news", "other")),
            ),
            "the company's own bus": (replace(tell, resource=f"arn:aws:events:{HERE}:event-bus/default"),),
            "and looks at it": (replace(tell, action="events:DescribeEventBus", context={}),),
            "from another account": (replace(tell, principal=i.NEWS.replace(COMPANY, i.STRANGER)),),
            "by another role of the company's": (replace(tell, principal=i.CURATE),),
            "and reads data": i.read(i.NEWS, i.CURATED),
        },
    )
    take = Check("events.amazonaws.com", "sts:AssumeRole", i.NEWS, {"aws:SourceAccount": COMPANY})
    yield Intent(
        "EventBridge takes the role that tells the partner",
        (take,),
        {
            "for another account": (take.but({"aws:SourceAccount": i.STRANGER}),),
            "for nobody": (take.but({"aws:SourceAccount": None}),),
            "as another service": (replace(take, principal="lambda.amazonaws.com"),),
        },
    )
    undelivered = f"arn:aws:sqs:{HERE}:causeway-pipeline-news-undelivered"
    rule = {"aws:SourceArn": f"arn:aws:events:{HERE}:rule/causeway-pipeline-news-rule"}
    keep = Check("events.amazonaws.com", "sqs:SendMessage", undelivered, rule)
    yield Intent(
        "EventBridge keeps what the partner's bus did not take",
        (keep,),
        {
            "of another rule": (keep.but({"aws:SourceArn": rule["aws:SourceArn"] + "2"}),),
            "and takes messages": (replace(keep, action="sqs:ReceiveMessage"),),
            "without TLS": (keep.but({"aws:SecureTransport": "false"}),),
        },
    )


def _logs() -> Iterator[Intent]:
    """The log bucket takes from AWS's services what is about us, where it belongs, and gives nothing."""
    s3, trail = "logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"
    for bucket in (i.LANDING, i.CURATED, i.QUARANTINE):
        about = {"aws:SourceAccount": COMPANY, "aws:SourceArn": bucket}
        path = bucket.rsplit("-", 1)[1]
        log = Check(s3, "s3:PutObject", f"{i.LOGS}/{path}/2026", about)
        yield Intent(
            f"S3 writes {path}'s access log",
            (log,),
            {
                "of another bucket": (log.but({"aws:SourceArn": "arn:aws:s3:::another"}),),
                "of no bucket": (log.but({"aws:SourceArn": None}),),
                "of another account": (log.but({"aws:SourceAccount": i.STRANGER}),),
                "of no account": (log.but({"aws:SourceAccount": None}),),
                "elsewhere": (replace(log, resource=f"{i.LOGS}/audit/2026"),),
                "as another service": (replace(log, principal=trail),),
                "and reads it": (replace(log, action="s3:GetObject"),),
            },
        )
    acl = {"s3:x-amz-acl": "bucket-owner-full-control"}
    record = Check(trail, "s3:PutObject", f"{i.LOGS}/audit/AWSLogs/{COMPANY}/2026", acl)
    look = Check(trail, "s3:GetBucketAcl", i.LOGS)
    yield Intent(
        "CloudTrail writes the account's trail",
        (record, look),
        {
            "of another account": (replace(record, resource=f"{i.LOGS}/audit/AWSLogs/{i.STRANGER}/2026"),),
            "elsewhere": (replace(record, resource=f"{i.LOGS}/curated/2026"),),
            "for all to read": (record.but({"s3:x-amz-acl": "public-read"}),),
            "under no access list": (record.but({"s3:x-amz-acl": None}),),
            "and reads it": (replace(record, action="s3:GetObject", context={}),),
            "and reads it as its writer": (replace(record, action="s3:GetObjectAcl", context={}),),
            "and lists it": (replace(look, action="s3:ListBucket"),),
            "and opens it": (replace(record, action="s3:PutObjectAcl"),),
            "as another service": (replace(record, principal=s3),),
            "looked at by another service": (replace(look, principal=s3),),
        },
    )
