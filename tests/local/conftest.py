"""The demo's deployment, made once: what it takes is most of the time of the tests here."""

import json
from collections.abc import Iterator

import pytest

from causeway.settings import load_settings
from local.aws.embedded import EmbeddedAws
from local.demo.__main__ import run
from local.demo.deploy import deploy
from local.demo.progress import Progress
from tests.local.deployment import COMPANY, Deployment, listen


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CDK_VALIDATION")
        build = tmp_path_factory.mktemp("build")
        progress = Progress()
        project = load_settings().project
        with EmbeddedAws(account=COMPANY, region="us-east-1") as aws:
            outputs = deploy(aws, build, progress)
            messages = listen(aws, project)
            problems = run(aws, outputs, build, progress)
            document = json.loads((build / "demo.json").read_text())
            yield Deployment(aws, build / "cdk.out", outputs, document, problems, messages)
