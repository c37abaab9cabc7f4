"""Spark truly distributed: two executors, each a process of its own, one of which is killed in mid-run."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
import pyspark
import pytest
from pyspark.sql import SparkSession

from causeway.contract.load import load_contract
from causeway.engine.check.keys import Banned
from causeway.engine.plan import Unit, plan_units
from causeway.engine.settle import source_reports
from causeway.engine.unit import UnitResult
from causeway.engine.write import FieldIds
from causeway.flow.manifest import SourceVersion
from causeway.lake.location import Lake
from glue_jobs.tasks import Task, in_tasks
from local.aws.embedded import ROOT, EmbeddedAws
from local.aws.java import spark_environment
from tests.causeway.engine.helpers import NO_IDS
from tests.glue_jobs.conftest import CONTRACT

pytestmark = pytest.mark.spark

SOURCES, ROWS = 8, 50
CONF = {
    "spark.executorEnv.PYTHONPATH": str(ROOT),
    # No task before both executors are there.
    "spark.cores.max": "2",
    "spark.scheduler.minRegisteredResourcesRatio": "1",
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
}


@dataclass(frozen=True)
class Watched(Task):
    """Notes which executor curates; the first to curate the unit `fatal` loses its executor right after.

    By then the unit's files are written, but Spark has not heard of it.
    """

    folder: str = ""
    fatal: int = -1

    def curate(self, number: int, unit: Unit, banned: Banned, ids: FieldIds) -> UnitResult:
        result = super().curate(number, unit, banned, ids)
        executor = _parent(os.getppid())  # this process's parent is the daemon that forks Python workers
        assert b"CoarseGrainedExecutorBackend" in Path(f"/proc/{executor}/cmdline").read_bytes()
        Path(self.folder, f"unit-{number}-on-{executor}").touch()
        if number == self.fatal:
            try:
                Path(self.folder, "killed").touch(exist_ok=False)
            except FileExistsError:
                return result
            os.kill(executor, signal.SIGKILL)
        return result


def _parent(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("PPid:")[2].split()[0])


def drive(folder: str, fatal: int) -> None:
    """The driver, in a process of its own: curate what was landed, say what came of it."""
    s3 = boto3.client("s3")
    objects = []
    for n in range(SOURCES):
        body = "\n".join(["id,city", *(f"{n * ROWS + i},Oslo" for i in range(ROWS)), "x,Rome"]).encode()
        version = s3.put_object(Bucket="landing", Key=f"landing/trips/{n}.csv", Body=body)["VersionId"]
        objects.append(SourceVersion(f"landing/trips/{n}.csv", version, len(body)))
    contract = load_contract(Path(folder, "trips.odcs.yaml"))
    units = dict(enumerate(plan_units(objects, contract, target_bytes=1)))
    lake = Lake("landing", "s3://curated", "s3://quarantine/rejected", "lake", "quarantine")
    task = Watched(contract, lake, "0" * 32, "run", datetime.now(UTC), folder=folder, fatal=fatal)
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    spark = builder.config(map=dict(CONF)).getOrCreate()
    results = in_tasks(spark.sparkContext, units, partial(task.curate, banned={}, ids=NO_IDS))
    spark.stop()
    answer = {
        "units": sorted(results),
        "files": [file for result in results.values() for file in result.files],
        "rejected_files": [file for result in results.values() for file in result.rejected_files],
        "counts": [asdict(count) for count in source_reports(c for r in results.values() for c in r.counts)],
    }
    Path(folder, "answer.json").write_text(json.dumps(answer))


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(account="111111111111", region="us-east-1") as embedded:
        s3 = embedded.client("s3", embedded.account)
        for bucket in ("landing", "curated", "quarantine"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="landing", VersioningConfiguration={"Status": "Enabled"})
        yield embedded


def run_driver(aws: EmbeddedAws, folder: Path, fatal: int) -> dict[str, Any]:
    (folder / "trips.odcs.yaml").write_text(CONTRACT)
    # Spark keeps its executors' folders in its home: a home of our own, which goes with the test.
    home = folder / "spark"
    home.mkdir()
    for item in Path(pyspark.__file__).parent.iterdir():
        (home / item.name).symlink_to(item)
    environment = {
        **aws.environment(aws.account),
        **spark_environment(),
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "PYTHONPATH": str(ROOT),
        # Short lives: what a JVM would spend on making code fast is more than it would save.
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    code = f"from tests.glue_jobs.test_cluster import drive; drive({str(folder)!r}, {fatal})"
    with (folder / "driver.log").open("wb") as log:
        driver = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            assert driver.wait(timeout=300) == 0, (folder / "driver.log").read_text()[-4000:]
        finally:
            if driver.poll() is None:
                os.killpg(driver.pid, signal.SIGKILL)
                driver.wait()
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    return answer


def executors(folder: Path, unit: int | str) -> set[str]:
    return {path.name.rpartition("-")[2] for path in folder.glob(f"unit-{unit}-on-*")}


def test_an_executor_killed_in_mid_run_costs_no_row_and_doubles_none(
    aws: EmbeddedAws, tmp_path: Path
) -> None:
    answer = run_driver(aws, tmp_path, fatal=SOURCES // 2)
    assert (tmp_path / "killed").exists()
    assert len(executors(tmp_path, "*")) >= 2
    assert len(executors(tmp_path, SOURCES // 2)) == 2  # the one that was killed, and the one after it

    assert answer["units"] == list(range(SOURCES))
    assert {(c["landed"], c["curated"], c["quarantined"]) for c in answer["counts"]} == {(ROWS + 1, ROWS, 1)}
    s3 = aws.client("s3", aws.account)
    assert sorted(ids(s3, "curated", answer["files"])) == list(range(SOURCES * ROWS))
    assert ids(s3, "quarantine", answer["rejected_files"], "line") == [ROWS + 2] * SOURCES


def ids(s3: Any, bucket: str, files: list[str], column: str = "id") -> list[int]:
    """The column's values in all the bucket's files, which must be those that the tasks told of."""
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert sorted(f"s3://{bucket}/{key}" for key in keys) == sorted(files)
    values: list[int] = []
    for key in keys:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        values += pq.read_table(io.BytesIO(body))[column].to_pylist()
    return values
