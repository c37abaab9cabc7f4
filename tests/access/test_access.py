"""Who may do what: the synthesized policies, proven by simulation."""

import json
from datetime import UTC, datetime

import pytest

from causeway.cli.revoke import older_than
from tests.access import proof
from tests.access.alerts import FAILURES, USES_OF_THE_KEY
from tests.access.intent import (
    ADMIN,
    CURATED,
    FLIGHTS,
    KEY,
    LANDING,
    MACHINE,
    PROFILES_MACHINE,
    PROGRAMMATIC,
    decide,
)
from tests.access.intents import intents
from tests.access.policies import DEFAULT, OPTIONS, REVOKED, STORE, Json, synthesized
from tests.access.request import Check, question
from tests.access.resolver import Resolver
from tests.access.simulator import SimulationError, Simulator
from tests.access.store import LOAD_MACHINE


@pytest.fixture(scope="module")
def score() -> proof.Score:
    return proof.score()


def keys_of(document: Json) -> set[str]:
    conditions = [statement.get("Condition", {}) for statement in document["Statement"]]
    return {key for condition in conditions for operands in condition.values() for key in operands}


def unknown_keys(keys: set[str]) -> list[str]:
    with Simulator() as simulator:
        (answer,) = simulator.ask([{"command": "unknownKeys", "keys": sorted(keys)}])
    return list(answer["unknown"])


def test_every_intent_holds() -> None:
    assert proof.intents_broken() == []


def test_every_allowed_intent_has_a_denied_one_beside_it() -> None:
    assert [intent.name for intent in intents() if not intent.but] == []


def test_each_role_may_do_exactly_what_the_committed_lists_say() -> None:
    lists = proof.lists()
    assert lists.actions > 20_000
    assert lists.differences == []


def test_every_single_edit_of_a_partner_facing_policy_is_noticed_or_explained(score: proof.Score) -> None:
    assert score.mutants > 250
    assert score.unexplained() == []


def test_no_explained_edit_is_noticed_after_all(score: proof.Score) -> None:
    survivors = {mutant.name for mutant in score.survivors}
    assert score.explained() - survivors == set()


@pytest.mark.parametrize(
    "options", [DEFAULT, OPTIONS, REVOKED, STORE], ids=["default", "options", "revoked", "store"]
)
def test_every_condition_key_is_one_that_aws_knows(options: Json) -> None:
    documents = synthesized(options).documents.values()
    assert unknown_keys(set().union(*(keys_of(document) for document in documents))) == []


def test_a_misspelt_condition_key_is_found() -> None:
    assert unknown_keys({"aws:PrincipleArn", "aws:PrincipalArn", "kms:ViaServices"}) == [
        "aws:PrincipleArn",
        "kms:ViaServices",
    ]


def test_no_role_is_granted_a_pattern_of_actions() -> None:
    access = synthesized(DEFAULT)
    granted = [
        action
        for role in access.roles.values()
        for name in role.identity
        for statement in access.documents[name]["Statement"]
        if statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]
    assert granted
    assert [action for action in granted if "*" in action] == []


def test_every_pattern_of_resources_has_its_reason() -> None:
    access = synthesized(DEFAULT)
    unexplained = []
    for role in access.roles.values():
        for name in role.identity:
            for statement in access.documents[name]["Statement"]:
                resources = statement["Resource"]
                for resource in [resources] if isinstance(resources, str) else resources:
                    if "*" in resource and not access.reasons[name].get(resource, "").strip():
                        unexplained.append((name, resource))
    assert unexplained == []


def test_a_request_whose_context_is_left_out_of_account_is_an_error() -> None:
    check = Check(ADMIN, "s3:GetObject", f"{LANDING}/x", {"kms:ViaService": "s3.us-east-1.amazonaws.com"})
    with Simulator() as simulator, pytest.raises(SimulationError):
        simulator.ask([question(synthesized(DEFAULT), check)])


def test_what_the_simulator_cannot_decide_is_an_error_and_no_denial() -> None:
    with Simulator() as simulator, pytest.raises(SimulationError):
        simulator.ask([question(synthesized(DEFAULT), Check(ADMIN, "s3:ReadObject", f"{LANDING}/x"))])


def test_after_a_revocation_is_undone_sessions_from_before_stay_refused() -> None:
    statement = older_than(datetime(2026, 1, 1, 12, tzinfo=UTC))
    access = synthesized(DEFAULT)
    role = access.roles[PROGRAMMATIC]
    permissions = access.documents[role.identity[0]]
    after = access.changed(
        role.identity[0], {**permissions, "Statement": [*permissions["Statement"], statement]}
    )
    file = f"{CURATED}/{FLIGHTS}"
    old, new = (
        Check(PROGRAMMATIC, "s3:GetObject", file, {"aws:TokenIssueTime": f"2026-01-01T12:00:0{second}Z"})
        for second in (0, 1)
    )
    with Simulator() as simulator:
        assert list(decide(after, [old, new], simulator).values()) == [False, True]


def test_every_role_that_may_publish_to_the_encrypted_topic_may_use_its_key() -> None:
    access = synthesized(DEFAULT)
    publish = {role: Check(role, "sns:Publish", FAILURES) for role in access.roles}
    use = {role: [Check(role, action, KEY) for action in USES_OF_THE_KEY] for role in access.roles}
    with Simulator() as simulator:
        granted = decide(
            access, [*publish.values(), *(check for checks in use.values() for check in checks)], simulator
        )
    publishers = {role for role, check in publish.items() if granted[check.key]}
    assert publishers == {MACHINE, PROFILES_MACHINE, LOAD_MACHINE}
    assert [role for role in publishers if not all(granted[check.key] for check in use[role])] == []


def test_an_intrinsic_function_that_is_not_known_is_an_error() -> None:
    resolver = Resolver({"stack": {"Resources": {}}})
    with pytest.raises(KeyError, match="Fn::Select"):
        resolver.resolve("stack", {"Fn::Select": [0, ["a"]]})


def test_the_policies_are_those_of_the_templates() -> None:
    """What is simulated says the same as the app's own words: one statement, both ways."""
    access = synthesized(DEFAULT)
    statement = access.documents["causeway-partner/Permissions"]["Statement"][0]
    assert json.dumps(statement) == json.dumps(
        {
            "Action": "s3:GetObject",
            "Effect": "Allow",
            "Resource": [
                f"arn:aws:s3:::causeway-lake-curated/{name}/*"
                for name in ("castings", "films", "flights", "mail", "people", "planes", "weather")
            ],
            "Sid": "ReadObjects",
        }
    )
