"""The commands find what is deployed by the stacks' outputs, or say what to do."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from causeway.__main__ import main
from causeway.contract.model import ContractError
from causeway.operate import deployment as module
from causeway.operate.deployment import Deployment


class Session(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """Of an account where these stacks are deployed, by name, with their outputs."""

    stacks: dict[str, dict[str, str]]

    def client(self, name: str, *more: Any, **how: Any) -> Any:
        return self if name == "cloudformation" else super().client(name, *more, **how)

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803
        if StackName not in self.stacks:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": ""}}, "DescribeStacks")
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self.stacks[StackName].items()]
        return {"Stacks": [{"Outputs": outputs}]}


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    session = Session()
    session.stacks = {}
    monkeypatch.setattr(module, "session_of_company", lambda _: session)
    return session


@pytest.fixture
def deployed(session: Session) -> Deployment:
    session.stacks["causeway-lake"] = {"LandingBucket": "landing", "LandingEventsUrl": "https://queue"}
    session.stacks["causeway-pipeline"] = {"LedgerTable": "ledger"}
    return Deployment.find()


def test_the_outputs_and_the_contracts_say_where_things_are(deployed: Deployment) -> None:
    landing = deployed.landing
    assert (landing.bucket, landing.queue_url, landing.ledger.name) == ("landing", "https://queue", "ledger")
    assert landing.removing == {"castings", "films", "flights", "mail", "people", "planes", "weather"}
    assert landing.retention_days == deployed.settings.limits.landing_retention_days


def test_a_prefix_is_of_one_dataset_or_of_all(deployed: Deployment) -> None:
    assert deployed.prefixes("landing/flights/2013") == {"flights": "landing/flights/2013"}
    assert deployed.prefixes("landing/") == {n: f"landing/{n}/" for n in deployed.contracts}
    for wrong in ("landing", "landing/flights", "landing/crews/", "flights/", ""):
        with pytest.raises(
            ContractError, match="contracts: castings, films, flights, mail, people, planes, weather"
        ):
            deployed.prefixes(wrong)


def test_a_wrong_name_is_answered_with_the_nearest_that_is_right(deployed: Deployment) -> None:
    with pytest.raises(ContractError, match=r"^no contract for flihgts; .*weather; did you mean flights\?$"):
        deployed.datasets(["flihgts"])
    with pytest.raises(ContractError, match=r"; did you mean landing/planes/\?$"):
        deployed.prefixes("landing/plane/2013")
    with pytest.raises(ContractError, match=r"weather$"):
        deployed.datasets(["xyz"])


@pytest.mark.parametrize(
    "command", ["status", "reconcile", "backfill landing/", "replay x", "ledger rebuild"]
)
def test_without_a_deployment_every_command_says_so_in_one_line(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main(command.split()) == 2
    assert capsys.readouterr().err == (
        "causeway: causeway-lake is not deployed in this account: `make deploy` first\n"
    )
