"""Intents of the store's search: a function reads as the store's reader, for applications alone."""

from collections.abc import Iterator
from dataclasses import replace

from tests.access import intent as i
from tests.access.intent import Intent
from tests.access.request import Check
from tests.access.resolver import HERE
from tests.access.store import APPLICATIONS, CLUSTER, MACHINE, OWNER_SECRET, READER_SECRET

SEARCH = f"{i.ROLE}/causeway-store-search-role"
FUNCTION = f"arn:aws:lambda:{HERE}:function:causeway-store-search-function"
TITAN = f"arn:aws:bedrock:{HERE.split(':', maxsplit=1)[0]}::foundation-model/amazon.titan-embed-text-v2:0"


def searching() -> Iterator[Intent]:
    reads = (
        Check(SEARCH, "rds-data:ExecuteStatement", CLUSTER),
        Check(SEARCH, "secretsmanager:GetSecretValue", READER_SECRET),
        Check(SEARCH, "kms:Decrypt", i.KEY),
    )
    yield Intent(
        "the search function asks the store as its reader",
        reads,
        {
            "as the store's owner": (replace(reads[1], resource=OWNER_SECRET),),
            "another cluster": (replace(reads[0], resource=f"{CLUSTER}2"),),
            "under another key": (replace(reads[2], resource=i.OTHER_KEY),),
            "in a transaction": (replace(reads[0], action="rds-data:BeginTransaction"),),
            "reads the lake": i.read(SEARCH, i.CURATED),
            "loads the store": (Check(SEARCH, "states:StartExecution", MACHINE),),
            "asks Bedrock, which the settings do not choose": (Check(SEARCH, "bedrock:InvokeModel", TITAN),),
        },
    )
    asks = Check(APPLICATIONS, "lambda:InvokeFunction", FUNCTION)
    yield Intent(
        "an application asks the search function",
        (asks,),
        {
            "another function": (replace(asks, resource=f"{FUNCTION}2"),),
            "and changes it": (replace(asks, action="lambda:UpdateFunctionCode"),),
            "the partner's program asks it": (replace(asks, principal=i.PROGRAMMATIC),),
            "the partner's analyst asks it": (replace(asks, principal=i.CONSOLE),),
        },
    )
