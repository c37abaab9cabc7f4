"""An application of the company's: it asks the store over three tables, and tries what it must not do."""

import contextlib
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from causeway.cli.output import show, table
from causeway.operate.executions import RED, cause
from causeway.settings import Settings
from causeway.store.database import Database, StoreError
from local.aws.embedded import EmbeddedAws
from local.demo.partner import Attempts, outcome_of, policy
from local.demo.progress import Progress
from local.demo.watch import LATEST

QUESTION = """
    SELECT a.person AS one, b.person AS other, count(*) AS films,
           min(f.year)::text || '–' || max(f.year)::text AS years
    FROM curated.castings a
    JOIN curated.castings b ON b.film = a.film AND b.person > a.person
    JOIN curated.films f ON f.film = a.film
    JOIN curated.people p ON p.person = a.person AND p.first_year = 1940
    GROUP BY a.person, b.person ORDER BY films DESC, one LIMIT 5
"""
# In words, of films in which somebody played: a filter by another dataset's column.
SEARCH: dict[str, Any] = {
    "question": "romance and resistance in Vichy France",
    "filters": {"castings.person": "Humphrey Bogart"},
    "limit": 2,
}


class Application:
    """Acts as the role that the store's settings let in. Makes there the role that they name."""

    def __init__(self, aws: EmbeddedAws, settings: Settings, outputs: dict[str, str]) -> None:
        self._aws, self._outputs, self._states = aws, outputs, aws.client("stepfunctions", aws.account)
        name = settings.store.readers[0].rpartition("/")[2]
        iam, sts = aws.client("iam", aws.account), aws.client("sts", aws.account)
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(Principal={"AWS": aws.account}))
        may = policy(Resource=outputs["ApplicationRoleArn"])
        iam.put_role_policy(RoleName=name, PolicyName="store", PolicyDocument=may)
        arn = f"arn:aws:iam::{aws.account}:role/{name}"
        own = sts.assume_role(RoleArn=arn, RoleSessionName="demo")["Credentials"]
        sts = aws.client("sts", aws.account, **own)
        self._credentials = sts.assume_role(RoleArn=outputs["ApplicationRoleArn"], RoleSessionName="demo")[
            "Credentials"
        ]
        self.database = Database(
            self._client("rds-data"), outputs["Cluster"], outputs["ReaderSecret"], outputs["Database"]
        )

    def await_loads(self, snapshots: dict[str, str], note: Callable[[str], None]) -> None:
        """Wait until the store has these snapshots. Raises RuntimeError when a load fails, or is late."""
        deadline = time.monotonic() + LATEST
        while True:
            machine = self._outputs["LoadMachine"]
            executions = self._states.list_executions(stateMachineArn=machine)["executions"]
            for execution in executions:
                if execution["status"] in RED:
                    raise RuntimeError(f"a load failed: {cause(self._states, execution['executionArn'])}")
            running = [one["name"] for one in executions if one["status"] == "RUNNING"]
            if not running and self.loaded().items() >= snapshots.items():
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"the store is late: it has {self.loaded()}, expected {snapshots}")
            note(f"{len(executions) - len(running)} of {len(executions)} loads done")
            time.sleep(0.5)

    def loaded(self) -> dict[str, str]:
        """The snapshot of each dataset in the store."""
        try:
            rows = self.database.query("SELECT dataset, snapshot::text AS snapshot FROM causeway.loads")
        except StoreError:  # nothing was ever loaded
            return {}
        return {row["dataset"]: row["snapshot"] for row in rows}

    def ask(self) -> list[dict[str, Any]]:
        return self.database.query(QUESTION)

    def search(self, **asked: Any) -> dict[str, Any]:
        """What the store's search function answers. Raises RuntimeError if it fails."""
        name, request = self._outputs["SearchFunction"], json.dumps(asked)
        answer = self._client("lambda").invoke(FunctionName=name, Payload=request)
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"the search failed: {found['errorMessage']}")
        return found

    def waiting(self) -> dict[str, int]:
        """How many rows the store could not take, by dataset."""
        counts = ((name, f"SELECT count(*) AS rows FROM quarantine.{name}") for name in self.loaded())
        return {name: rows for name, sql in counts if (rows := self.database.query(sql)[0]["rows"])}

    def refusals(self, lake: dict[str, str]) -> dict[str, str]:
        """By what must be refused and was tried: what came of it."""
        rds, s3 = (self._client(service) for service in ("rds-data", "s3"))
        cluster = {"resourceArn": self._outputs["Cluster"], "sql": "SELECT 1"}
        own = next(s for s in self._secrets() if s != self._outputs["ReaderSecret"])
        listing = {"Bucket": lake["CuratedBucket"]}
        attempts: Attempts = {
            "change the store's rows": partial(self._query, "DELETE FROM curated.castings"),
            "make a table in the store": partial(self._query, "CREATE TABLE curated.mine (a int)"),
            "ask the store as its owner": partial(rds.execute_statement, **cluster, secretArn=own),
            "list the lake": partial(s3.list_objects_v2, **listing),
        }
        return {name: outcome_of(attempt) for name, attempt in attempts.items()}

    def _query(self, sql: str) -> None:
        try:
            self.database.query(sql)
        except StoreError as error:
            if "permission denied" in str(error):
                raise PermissionError from error
            raise

    def _client(self, service: str) -> Any:
        return self._aws.client(service, self._aws.account, **self._credentials)

    def _secrets(self) -> list[str]:
        listed = self._aws.client("secretsmanager", self._aws.account).list_secrets()["SecretList"]
        return [secret["ARN"] for secret in listed]


def ask_store(
    application: Application, lake: dict[str, str], snapshots: dict[str, str], progress: Progress
) -> dict[str, Any]:
    """Wait for the store, ask it, and try what an application must not do."""
    with progress.phase("store", "Loading the relational store, and asking it as an application"):
        application.await_loads(snapshots, progress.note)
        return {
            "snapshots": application.loaded(),
            "answer": application.ask(),
            "search": application.search(**SEARCH),
            "waiting": application.waiting(),
            "refusals": application.refusals(lake),
        }


def show_store(store: dict[str, Any]) -> None:
    answer = store["answer"]
    show("\nAn application asked the store, over three tables: which two made most films together?")
    show(table(list(answer[0]), [list(row.values()) for row in answer]))
    snapshots = ", ".join(f"{name} {snapshot}" for name, snapshot in sorted(store["snapshots"].items()))
    show(f"Snapshots: {snapshots}")
    where = " and ".join(f"{name} is {value}" for name, value in SEARCH["filters"].items())
    show(f"It searched the films' texts for {SEARCH['question']!r}, where {where}:")
    for one in store["search"]["answers"]:
        show(
            f"  {one['similarity']:.2f} {one['row']['title']} ({one['row']['year']}): {one['passage'][:160]}…"
        )
    show(f"  at snapshot {store['search']['snapshot']}, by {store['search']['model']}")
    waiting = ", ".join(f"{rows} of {name}" for name, rows in store["waiting"].items()) or "none"
    show(f"Rows that wait for the row to which they refer: {waiting}")
