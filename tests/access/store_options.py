"""Intents of what the store's settings add: vectors in S3 Vectors, and the partner as a reader."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.access import intent as i
from tests.access.intent import Intent
from tests.access.policies import STORE
from tests.access.request import Check
from tests.access.resolver import COMPANY, HERE
from tests.access.searching import FUNCTION, SEARCH
from tests.access.store import (
    APPLICATIONS,
    CLUSTER,
    LOAD,
    MACHINE,
    OWNER_SECRET,
    READER_SECRET,
    SECRET,
    TRANSACTION,
)

OPTIONAL: Any = tuple(sorted(STORE.items()))
BUCKET = f"arn:aws:s3vectors:{HERE}:bucket/causeway-store-vectors"
INDEX = f"{BUCKET}/index/films-256"
PARTNER, PARTNER_SECRET = (
    f"{i.ROLE}/causeway/partner/causeway-store",
    f"{SECRET}:causeway-store-store-partner",
)
UNLOCKED = {
    "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com",
    "kms:EncryptionContext:SecretARN": PARTNER_SECRET,
}


def store_options() -> Iterator[Intent]:
    yield from _vectors()
    yield _taking()
    yield _reading()
    yield from _unlocking()


def _vectors() -> Iterator[Intent]:
    writes = tuple(Check(LOAD, f"s3vectors:{name}Vectors", INDEX) for name in ("Put", "Delete", "List"))
    yield Intent(
        "the load job writes the vectors of a dataset",
        writes,
        {
            "into another index": (replace(writes[0], resource=f"{INDEX}2"),),
            "and searches": (replace(writes[0], action="s3vectors:QueryVectors"),),
            "and reads them": (replace(writes[0], action="s3vectors:GetVectors"),),
            "and removes the index": (replace(writes[0], action="s3vectors:DeleteIndex"),),
            "and removes the bucket": (Check(LOAD, "s3vectors:DeleteVectorBucket", BUCKET),),
        },
        OPTIONAL,
    )
    reads = tuple(Check(SEARCH, f"s3vectors:{name}Vectors", INDEX) for name in ("Query", "Get"))
    yield Intent(
        "the search function asks for the nearest vectors",
        reads,
        {
            "of another index": (replace(reads[0], resource=f"{INDEX}2"),),
            "and puts some": (replace(reads[0], action="s3vectors:PutVectors"),),
            "and deletes some": (replace(reads[0], action="s3vectors:DeleteVectors"),),
            "an application by itself": (replace(reads[0], principal=APPLICATIONS),),
            "the partner by itself": (replace(reads[0], principal=PARTNER),),
            "the partner's program": (replace(reads[0], principal=i.PROGRAMMATIC),),
        },
        OPTIONAL,
    )


def _taking() -> Intent:
    return Intent(
        "the partner's program takes the role that reads the store",
        i.take(PARTNER, i.READER, i.EXTERNAL_ID),
        {
            "without the external id": i.take(PARTNER, i.READER, {}),
            "by another external id": i.take(PARTNER, i.READER, {"sts:ExternalId": "another-partner-s-id"}),
            "as the partner's training": i.take(PARTNER, i.TRAINING, i.EXTERNAL_ID),
            "as a person": i.take(PARTNER, i.ANALYST, {**i.EXTERNAL_ID, **i.MFA}),
            "as another role": i.take(PARTNER, i.READER.replace("reader", "intern"), i.EXTERNAL_ID),
            "as a user of that name": i.take(PARTNER, i.READER.replace(":role/", ":user/"), i.EXTERNAL_ID),
            "from another account": i.take(PARTNER, i.READER.replace(i.PARTNER, i.STRANGER), i.EXTERNAL_ID),
            "and tags the session": (Check(i.READER, "sts:TagSession", PARTNER),),
            "and names a source": (Check(i.READER, "sts:SetSourceIdentity", PARTNER),),
            "the company's applications": i.take(PARTNER, f"{i.ROLE}/causeway-application", i.EXTERNAL_ID),
        },
        OPTIONAL,
    )


def _reading() -> Intent:
    calls = tuple(
        Check(PARTNER, f"rds-data:{name}", CLUSTER) for name in (*TRANSACTION, "BatchExecuteStatement")
    )
    secret = Check(PARTNER, "secretsmanager:GetSecretValue", PARTNER_SECRET)
    unlocked = Check(PARTNER, "kms:Decrypt", i.KEY, UNLOCKED)
    return Intent(
        "the partner asks the store as a user of its own",
        (*calls, secret, unlocked),
        {
            "as the applications' user": (replace(secret, resource=READER_SECRET),),
            "as the store's owner": (replace(secret, resource=OWNER_SECRET),),
            "another cluster": (replace(calls[0], resource=f"{CLUSTER}2"),),
            "with the key by itself": (unlocked.but(dict.fromkeys(UNLOCKED)),),
            "with the key for another secret": (
                unlocked.but({"kms:EncryptionContext:SecretARN": READER_SECRET}),
            ),
            "with the key for the lake": i.read(PARTNER, i.CURATED)[1:],
            "under another key": (replace(unlocked, resource=i.OTHER_KEY),),
            "changes the secret": (replace(secret, action="secretsmanager:PutSecretValue"),),
            "changes the cluster": (Check(PARTNER, "rds:ModifyDBCluster", CLUSTER),),
            "reads the lake": i.read(PARTNER, i.CURATED),
            "sees the lake's tables": i.table(PARTNER, "causeway_lake/flights"),
            "asks the search function": (Check(PARTNER, "lambda:InvokeFunction", FUNCTION),),
            "loads the store": (Check(PARTNER, "states:StartExecution", MACHINE),),
            "as its role that reads the lake": (replace(calls[0], principal=i.PROGRAMMATIC),),
            "an application as the partner's user": (replace(secret, principal=APPLICATIONS),),
        },
        OPTIONAL,
    )


def _unlocking() -> Iterator[Intent]:
    unlocked = Check(PARTNER, "kms:Decrypt", i.KEY, UNLOCKED)
    by_sqs = unlocked.but({"kms:ViaService": "sqs.us-east-1.amazonaws.com"})
    directly = ("GetKeyPolicy", "ListGrants", "PutKeyPolicy", "Decrypt", "ScheduleKeyDeletion")
    yield Intent(
        "with mistaken policies, the partner uses the key through S3 and Secrets Manager alone",
        (
            *i.mistaken((unlocked, i.through_s3(PARTNER, "kms:Decrypt", i.CURATED))),
            Check(i.ADMIN, "kms:Decrypt", i.KEY),
        ),
        {
            "through SQS": i.mistaken((by_sqs,)),
            **{name: i.mistaken((Check(PARTNER, f"kms:{name}", i.KEY),)) for name in directly},
        },
        OPTIONAL,
    )
    source = {"aws:SourceAccount": COMPANY, "aws:SourceArn": BUCKET}
    orders = Check("indexing.s3vectors.amazonaws.com", "kms:Decrypt", i.KEY, source)
    yield Intent(
        "S3 Vectors reads what it orders of the store's bucket under the key",
        (orders,),
        {
            "and encrypts": (replace(orders, action="kms:Encrypt"),),
            "another service": (replace(orders, principal="glue.amazonaws.com"),),
            "of another account": (orders.but({"aws:SourceAccount": i.STRANGER}),),
            "of none": (orders.but({"aws:SourceAccount": None}),),
            "of another bucket": (orders.but({"aws:SourceArn": BUCKET.replace("store", "other")}),),
            "of no bucket": (orders.but({"aws:SourceArn": None}),),
        },
        OPTIONAL,
    )
