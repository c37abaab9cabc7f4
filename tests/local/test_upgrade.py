"""A deployment of the last release becomes one of this code: no data goes, and what was in flight arrives."""

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from local.aws.embedded import ROOT, EmbeddedAws
from local.demo import story
from local.demo.deploy import SHORT_WINDOW, WINDOW, cdk
from tests.local.deployment import COMPANY, Deployment
from tests.stacks.stateful import KINDS

pytestmark = pytest.mark.embedded

# What of the last release is deployed: docs/releasing.md says how it is made.
RELEASED = Path(__file__).with_name("released.tar.xz")
STACKS = ("causeway-lake", "causeway-pipeline")
LINES = iter(story.weather_lines())


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The last release, deployed by its own code; `app` is what this code synthesizes."""
    old, build = tmp_path_factory.mktemp("released"), tmp_path_factory.mktemp("build")
    # Python before 3.11.4 knows no filters; the archive is ours.
    safely: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(RELEASED) as archive:
        archive.extractall(old, **safely)
    with EmbeddedAws(account=COMPANY, region="us-east-1") as aws, ThreadPoolExecutor() as pool:
        bootstrapping = pool.submit(
            cdk,
            "bootstrap",
            f"aws://{COMPANY}/{aws.region}",
            "--app",
            "",
            environment=aws.environment(COMPANY),
        )
        new = pool.submit(synthesize, aws, ROOT, build / "new")
        app = synthesize(aws, old, build / "old")
        bootstrapping.result()
        outputs = deploy(aws, app)
        outputs["causeway-pipeline"].setdefault("ProfilesMachine", "")
        yield Deployment(aws, new.result(), outputs, {}, [], {})


def synthesize(aws: EmbeddedAws, checkout: Path, folder: Path) -> Path:
    """The app of a checkout, with its own settings but for the window."""
    folder.mkdir()
    settings, app = folder / "settings.toml", folder / "cdk.out"
    settings.write_text(re.sub(WINDOW, SHORT_WINDOW, (checkout / "settings.toml").read_text()))
    paths = {"PYTHONPATH": str(checkout), "CAUSEWAY_SETTINGS": str(settings)}
    environment = {**aws.environment(COMPANY), **paths, "CDK_VALIDATION": "false"}
    command = f"{sys.executable} {checkout / 'app.py'}"
    options = ("--output", str(app), "--context", "layers=none")
    cdk("synth", "--quiet", "--app", command, *options, environment=environment)
    return app


def deploy(aws: EmbeddedAws, app: Path) -> dict[str, dict[str, str]]:
    """Deploy the stacks that hold data and work; returns their outputs."""
    outputs = app.parent / "outputs.json"
    options = ("--exclusively", "--require-approval", "never", "--outputs-file", str(outputs))
    cdk("deploy", *STACKS, "--app", str(app), *options, environment=aws.environment(COMPANY))
    return dict(json.loads(outputs.read_text()))


def land(deployment: Deployment, name: str) -> tuple[str, str]:
    """An hour of the weather that no other file has; returns its key and version."""
    key, line = f"landing/weather/{name}.jsonl", next(LINES).encode()
    put = deployment.client("s3").put_object(Bucket=deployment.lake["LandingBucket"], Key=key, Body=line)
    return key, put["VersionId"]


def physical(deployment: Deployment) -> dict[str, str]:
    """The names that AWS knows what holds data or work by, by logical id."""
    describe = deployment.client("cloudformation").describe_stack_resources
    return {
        f"{stack}/{resource['LogicalResourceId']}": resource["PhysicalResourceId"]
        for stack in STACKS
        for resource in describe(StackName=stack)["StackResources"]
        if resource["ResourceType"] in KINDS
    }


def test_an_upgrade_keeps_every_row_and_what_is_queued_or_runs_arrives(released: Deployment) -> None:
    landed = [land(released, "before")]
    released.becomes("it is curated", lambda: released.is_curated(landed[0]))
    before = physical(released)
    landed.append(land(released, "running"))
    released.becomes(
        "its execution runs", lambda: running(released) and not released.waiting("LandingEventsUrl")
    )
    functions = released.client("lambda")
    (mapping,) = functions.list_event_source_mappings()["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    landed += [land(released, f"queued-{number}") for number in range(3)]
    assert released.waiting("LandingEventsUrl") == 3
    with ThreadPoolExecutor() as pool:
        upgrading = pool.submit(deploy, released.aws, released.app)
        while wait([upgrading], timeout=2).not_done:
            landed.append(land(released, f"during-{len(landed)}"))
        released.outputs = upgrading.result()
    assert before.items() <= physical(released).items()
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    landed.append(land(released, "after"))
    released.becomes("all is curated", lambda: all(map(released.is_curated, landed)))
    assert {run["status"] for run in released.watch.executions()} <= {"SUCCEEDED", "RUNNING"}
    table = released.aws.catalog().load_table(("causeway_lake", "weather")).scan().to_arrow()
    assert table.num_rows == len(landed)
    assert set(table["_source"].to_pylist()) == {key for key, _ in landed}


def running(deployment: Deployment) -> list[Any]:
    return [run for run in deployment.watch.executions() if run["status"] == "RUNNING"]
