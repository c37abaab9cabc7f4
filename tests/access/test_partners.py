"""Two partners of one deployment, each with its own datasets and roles; and an external id that changes."""

import json

import pytest

from tests.access import intent as i
from tests.access.intent import Checks, Intent, broken, decide
from tests.access.policies import synthesized
from tests.access.simulator import Simulator

ID, FORMER = "causeway-acme-agreed", "causeway-agreed-before"
ACME, ACME_CONSOLE = (
    f"{i.ROLE}/causeway/partner/causeway-partner-acme-{kind}" for kind in ("programmatic", "console")
)
READER, ANALYST = (f"arn:aws:iam::{i.STRANGER}:{name}" for name in ("role/acme-reader", "user/acme-analyst"))
SETTINGS = {
    "account": i.STRANGER,
    "external_id": ID,
    "datasets": ["weather"],
    "may_land": ["weather"],
    "revoked": False,
    "programmatic": True,
    "programmatic_roles": ["acme-reader"],
    "source_identity": False,
    "vpc_endpoints": [],
    "console": True,
    "console_principals": ["user/acme-analyst"],
    "console_mfa": True,
}
TWO = (
    ("datasets", ("flights", "mail")),
    ("may_land", ("flights",)),
    ("models", ("spam",)),
    ("partners", json.dumps({"acme": SETTINGS})),
)
WEATHER = "weather/data/part-0.parquet"


def lands(who: str, dataset: str) -> Checks:
    return i.write(who, i.LANDING, f"landing/{dataset}/a.csv")


def everything_of(who: str, dataset: str) -> Checks:
    """All that reading a dataset takes."""
    return (
        *i.read(who, i.CURATED, f"{dataset}/data/part-0.parquet"),
        *i.list_(who, i.CURATED, f"{dataset}/"),
        *i.table(who, f"causeway_lake/{dataset}"),
    )


def takes(role: str, who: str, external_id: str) -> Checks:
    return i.take(role, who, {"sts:ExternalId": external_id})


def others(who: str, dataset: str, other: str) -> dict[str, Checks]:
    return {
        f"{who} reads files of {other}": i.read(who, i.CURATED, f"{other}/data/part-0.parquet")[:1],
        f"{who} lists files of {other}": i.list_(who, i.CURATED, f"{other}/"),
        f"{who} opens the table {other}": i.table(who, f"causeway_lake/{other}")[2:],
        f"{who} reads what landed of {dataset}": i.read(who, i.LANDING, f"landing/{dataset}/a.csv"),
    }


TWO_PARTNERS = [
    Intent(
        "each partner takes its own roles",
        (
            *takes(ACME, READER, ID),
            *i.take(ACME_CONSOLE, ANALYST, i.MFA),
            *i.take(i.PROGRAMMATIC, i.READER, i.EXTERNAL_ID),
        ),
        {
            "with the other's external id": i.take(ACME, READER, i.EXTERNAL_ID),
            "as the other's reader": takes(ACME, i.READER, ID),
            "the other's role": i.take(i.PROGRAMMATIC, READER, i.EXTERNAL_ID),
            "the other's console role": i.take(i.CONSOLE, ANALYST, i.MFA),
            "as the other's analyst": i.take(ACME_CONSOLE, i.ANALYST, i.MFA),
            "without an external id": i.take(ACME, READER, {}),
        },
        TWO,
    ),
    Intent(
        "each partner reads its own datasets",
        tuple(
            check
            for who, dataset in ((ACME, "weather"), (ACME_CONSOLE, "weather"), (i.PROGRAMMATIC, "flights"))
            for check in everything_of(who, dataset)
        ),
        {
            **others(ACME, "weather", "flights"),
            **others(ACME_CONSOLE, "weather", "flights"),
            **others(i.PROGRAMMATIC, "flights", "weather"),
            **others(i.CONSOLE, "flights", "weather"),
        },
        TWO,
    ),
    Intent(
        "each partner lands its own datasets",
        (*lands(ACME, "weather"), *lands(i.PROGRAMMATIC, "flights")),
        {"the one the other's": lands(ACME, "flights")[:1], "and back": lands(i.PROGRAMMATIC, "weather")[:1]},
        TWO,
    ),
]
ROTATION = [
    Intent(
        "while the external id changes, the new and the former one open the role",
        (*i.take(i.PROGRAMMATIC, i.READER, i.EXTERNAL_ID), *takes(i.PROGRAMMATIC, i.READER, FORMER)),
        {
            "another one": takes(i.PROGRAMMATIC, i.READER, "causeway-never-agreed"),
            "none": i.take(i.PROGRAMMATIC, i.READER, {}),
            "the former one from another account": takes(i.PROGRAMMATIC, READER, FORMER),
        },
        (("former_external_ids", (FORMER,)),),
    ),
    Intent(
        "after the change, only the new one does",
        i.take(i.PROGRAMMATIC, i.READER, i.EXTERNAL_ID),
        {"the former one": takes(i.PROGRAMMATIC, i.READER, FORMER)},
    ),
]


@pytest.mark.parametrize("intent", [*TWO_PARTNERS, *ROTATION], ids=lambda intent: intent.name)
def test_it_is_as_intended(intent: Intent) -> None:
    with Simulator() as simulator:
        granted = decide(intent.access(), intent.checks(), simulator)
    assert broken([intent], granted) == []


def test_a_partner_more_changes_nothing_of_the_first_ones_policies() -> None:
    two = synthesized(dict(TWO))
    one = synthesized({key: value for key, value in TWO if key != "partners"})
    own = [name for name in one.documents if name.startswith("causeway-partner/")]
    assert len(own) > 2
    assert {name: two.documents[name] for name in own} == {name: one.documents[name] for name in own}
