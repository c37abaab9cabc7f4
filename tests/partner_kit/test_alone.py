"""The kit on a machine that has nothing else: installed by its own instructions, used well and wrongly."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from local.aws.embedded import EmbeddedAws
from tests.access.deployed import BUCKET, Credentials, deployed_roles, make_table, reader_of, write_kit
from tests.access.resolver import COMPANY

pytestmark = pytest.mark.embedded
FLIGHTS = pl.DataFrame({"carrier": ["AA", "UA", "UA", "DL", "B6"], "delay": [1, 2, 3, 4, 5]})
WEATHER = [pl.DataFrame({"origin": ["JFK"] * n, "hour": range(n)}) for n in (12, 5_000, 20_000)]


DUCKDB = "table.scan().to_duckdb('t').execute('select count(*) from t').fetchone()[0]"


@dataclass
class Kit:
    """The kit's folder, its own Python, and the partner's credentials."""

    folder: Path
    aws: EmbeddedAws
    reader: Credentials

    def run(self, command: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        """A command as its documents have it; "None" takes a variable away."""
        variables = {
            "PATH": f"{self.folder / 'venv/bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "AWS_ACCESS_KEY_ID": self.reader["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.reader["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self.reader["SessionToken"],
            **environment,
        }
        own = {name: value for name, value in variables.items() if value is not None}
        return subprocess.run(
            shlex.split(command), cwd=self.folder, env=own, capture_output=True, text=True, check=False
        )

    def read(self, options: str) -> dict[str, Any]:
        done = self.run(f"python -m partner_kit --json {options}")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def mistake(self, options: str, **environment: str | None) -> str:
        """The one line that a mistake ends in."""
        done = self.run(f"python -m partner_kit {options}", **environment)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        (line,) = done.stderr.splitlines()
        return line


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with deployed_roles() as embedded:
        make_table(embedded, "flights", FLIGHTS)
        make_table(embedded, "weather", *WEATHER)
        yield embedded


@pytest.fixture(scope="module")
def kit(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Kit:
    folder = write_kit(tmp_path_factory.mktemp("kit") / "partner-kit")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    kit = Kit(folder, aws, reader_of(aws, folder))
    (install,) = re.findall("^python -m pip .*$", (folder / "programs.md").read_text(), re.MULTILINE)
    registries = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    done = kit.run(install, HOME=os.environ["HOME"], **registries)
    assert done.returncode == 0, done.stderr
    return kit


def test_the_command_of_its_documents_prints_the_first_rows_and_how_many_there_are(kit: Kit) -> None:
    programs = (kit.folder / "programs.md").read_text()
    (command,) = re.findall(r"^python -m partner_kit --table \w+$", programs, re.MULTILINE)
    done = kit.run(command)
    assert done.returncode == 0, done.stderr
    assert re.search(r"causeway_lake\.flights: 5 rows; snapshot \d+", done.stdout)
    assert "carrier" in done.stdout


def python_of_its_documents(kit: Kit) -> list[str]:
    return re.findall("```python\n(.*?)```", (kit.folder / "programs.md").read_text(), re.DOTALL)


def test_the_code_of_its_documents_reads_the_table_into_every_library_that_it_offers(kit: Kit) -> None:
    code = python_of_its_documents(kit)[0]
    offered = ["table.scan().to_polars().height", "len(table.scan().to_pandas())", DUCKDB]
    (kit.folder / "own.py").write_text(f"{code}\nprint({', '.join(offered)})")
    done = kit.run("python own.py")
    assert (done.stdout, done.stderr) == ("5 5 5\n", "")


def test_sql_runs_over_the_table(kit: Kit) -> None:
    sql = "SELECT carrier, count(*) AS n FROM flights GROUP BY ALL ORDER BY 2 DESC LIMIT 1"
    answer = kit.read(f"--table flights --sql '{sql}'")
    assert (answer["rows"], answer["result"]) == (5, [{"carrier": "UA", "n": 2}])


def test_a_pinned_snapshot_is_read_narrowed_to_rows_and_columns(kit: Kit) -> None:
    snapshot = kit.read("--table flights")["snapshot"]
    answer = kit.read(f"--table flights --snapshot {snapshot} --where \"carrier = 'UA'\" --columns delay")
    assert (answer["rows"], answer["result"]) == (2, [{"delay": 2}, {"delay": 3}])


def test_the_files_of_a_snapshot_are_those_that_hold_its_rows(kit: Kit) -> None:
    answer = kit.read("--table weather --files")
    assert (answer["rows"], len(answer["result"])) == (25_012, 3)


def test_a_profile_is_read_with_the_role_by_the_command_and_the_code_of_its_documents(kit: Kit) -> None:
    snapshot = kit.read("--table flights")["snapshot"]
    column = {"measure": "quantity", "nulls": 1, "null_share": 0.2, "notes": []}
    document = {
        "dataset": "flights",
        "snapshot": snapshot,
        "committed_at": "2026-03-01T12:00:00+00:00",
        "format": 1,
        "rows": 5,
        "columns": {"delay": column},
        "associations": [],
    }
    key = f"flights/profiles/{snapshot}.json"
    kit.aws.client("s3", COMPANY).put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document))
    programs = (kit.folder / "programs.md").read_text()
    (command,) = re.findall(r"^python -m partner_kit --table \w+ --profile$", programs, re.MULTILINE)
    assert kit.run(command).stdout.endswith(
        f"causeway_lake.flights: 5 rows; profile of snapshot {snapshot}\n"
    )
    assert kit.read("--table flights --profile")["profile"] == document
    (kit.folder / "own.py").write_text("\n".join(python_of_its_documents(kit)))
    done = kit.run("python own.py")
    assert done.stderr == ""
    assert done.stdout.endswith(f"{snapshot} \n")


def test_tables_columns_and_snapshots_are_listed_by_the_commands_of_its_documents(kit: Kit) -> None:
    programs = (kit.folder / "programs.md").read_text()
    commands = re.findall(
        r"^python -m partner_kit .*--(?:tables|dictionary|snapshots)$", programs, re.MULTILINE
    )
    tables, dictionary, snapshots = [kit.run(command) for command in commands]
    assert re.search(r"flights .* 5 .*\n.*weather .* 25012 ", tables.stdout), tables.stderr
    assert re.search(r"carrier .* string .* true .*\n.* delay .* long", dictionary.stdout), dictionary.stderr
    assert re.search(r"UTC .* 0 .* 5 ", snapshots.stdout), snapshots.stderr
    assert "to keep one longer, ask the company for a hold" in snapshots.stdout


def test_ten_rows_take_one_file_and_their_number_none(kit: Kit) -> None:
    s3 = kit.aws.client("s3", COMPANY)
    keys = [uri.removeprefix(f"s3://{BUCKET}/") for uri in kit.read("--table weather --files")["result"]]
    small, *large = sorted(keys, key=lambda key: s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"])
    kept = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in large}
    for key in large:
        s3.delete_object(Bucket=BUCKET, Key=key)
    answer = kit.read("--table weather")
    assert (answer["rows"], len(answer["result"])) == (25_012, 10)
    s3.delete_object(Bucket=BUCKET, Key=small)
    line = kit.mistake("--table weather")
    assert re.search(f"{small}.*; the snapshot was removed meanwhile: run it again on a newer one", line)
    for key, body in kept.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


NO_TABLE = "your role sees no table causeway_lake.flihgts; nearest: flights, there are flights, weather"
SQL = r"the table is flights \(carrier, delay\); correct --sql"
MISTAKES = {
    "--table flihgts": NO_TABLE,
    "--table flights --database lake": "your role sees no table lake.flights; nearest: flights",
    "--table flights --external-id causeway-x": "AccessDenied.*; check the role, the external id and",
    "--table flights --role-arn arn:aws:iam::111111111111:role/x": "AccessDenied.*; check the role",
    "--table flights --role-arn causeway": "check the role, the external id and the region",
    "--table flights --columns carrier,dealy": "no column 'dealy'; nearest: delay, there are carrier, delay",
    "--table flights --where \"carier = 'UA'\"": "no column 'carier'; nearest: carrier, there are",
    '--table flights --where "carrier == "': "cannot read 'carrier == ' from character .*; write it like",
    "--table flights --where \"delay = 'late'\"": "--where: .*late.*; write it like",
    "--table flights --snapshot 7": r"no snapshot 7: .*; there are \d+ of 20\d\d-.* UTC; name another",
    "--table flights --snapshot last": "flights has no hold 'last'; there is none; name a hold, or",
    "--table flights --sql 'SELECT dealy FROM flights'": rf"\"dealy\" not found.*; {SQL}",
    "--table flights --sql 'SELECT 1 FROM weather'": rf"weather does not exist.*; {SQL}",
    "--table weather --profile": "no profile of snapshot .*; run it again tomorrow, or read the table",
    "--table flights --sql 'SELEC 1'": "syntax error at or near .*; correct --sql",
    "--table flights --tabel x": "unrecognized arguments: --tabel x; --help lists the options",
    "--table flights --dictionary --where delay=1": "is of all rows and columns; leave out --where",
    "--table flights --snapshots --snapshot 7": "is of the table as it is now; leave out --snapshot",
    "--table flights --dictionary --tables": "not allowed with argument",
    "": "--table: missing; there are flights, weather; name one, or ask for --tables",
}


@pytest.mark.parametrize("options", MISTAKES)
def test_a_mistake_ends_in_one_line_that_says_what_to_do(kit: Kit, options: str) -> None:
    assert re.search(MISTAKES[options], kit.mistake(options))


NOWHERE: dict[str, str | None] = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
SURROUNDINGS: list[tuple[dict[str, str | None], str]] = [
    (
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_SESSION_TOKEN": None},
        "Unable to locate credentials; give it credentials of one of the roles that programs.md names",
    ),
    ({"AWS_SECRET_ACCESS_KEY": None}, "Partial credentials found.*; give it credentials"),
    ({"AWS_PROFILE": "nobody"}, "profile .*nobody.* could not be found; give it credentials"),
    (NOWHERE, "Could not connect to the endpoint.*; check the network, and the region against programs.md"),
]


@pytest.mark.parametrize(("environment", "line"), SURROUNDINGS)
def test_surroundings_that_do_not_fit_end_in_one_line(
    kit: Kit, environment: dict[str, str | None], line: str
) -> None:
    assert re.search(line, kit.mistake("--table flights", **environment))


def test_a_region_that_does_not_exist_is_told_from_a_network_that_does_not_answer(kit: Kit) -> None:
    line = kit.mistake("--table flights --region eu-wset-1", **NOWHERE)
    assert "eu-wset-1 is no region known here; nearest: eu-west-1" in line


def test_a_python_without_the_libraries_is_told_how_to_get_them(kit: Kit, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    done = kit.run(f"{tmp_path / 'venv/bin/python'} -m partner_kit --table flights")
    assert done.returncode == 2
    assert done.stderr.endswith("run: python -m pip install -r requirements.txt\n")
    assert done.stderr.count("\n") == 1


def test_a_damaged_access_file_is_named(kit: Kit) -> None:
    path = kit.folder / "access.json"
    text = path.read_text()
    path.write_text(text[:-5])
    try:
        assert re.search(
            "access.json is no JSON: .*; take it from the company's kit", kit.mistake("--table x")
        )
    finally:
        path.write_text(text)
