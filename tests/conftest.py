"""What every test has: no real AWS, and no validation by CloudFormation's own rules at each synth."""

import os
import re

import hypothesis
import pytest

# Before aws_cdk is imported: it costs seconds a template. The synth of the whole app has it on.
os.environ["CDK_VALIDATION"] = "false"
for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
    os.environ.pop(name, None)
os.environ.update(
    AWS_ACCESS_KEY_ID="111111111111",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)


# Machines that are busy are no fault of the code's.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


# What `make quick` leaves to `make test`, besides what starts Spark or the embedded AWS: whole systems,
# synths, proofs over catalogues, searches with many examples, and what moto makes long.
SLOW = re.compile(
    r"/(faults|access|lake|store|glue_jobs|lambdas|fuzz|readers|browser)/|stacks/test_|local/test_embedded|contract/test_changes"
    r"|engine/test_(properties|corpora)|flow/test_landing|cli/test_(status|requeue|ledger)"
    r"|ml/test_corpus|test_(no_rule_could_be|a_parquet_file_of_any_types|lines_that_differ|every_cell_of_a_sample)"
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may run side by side: files, and each row of the fault matrix.

    An embedded AWS and Spark each want the whole machine: one at a time.
    """
    for item in items:
        slow = item.get_closest_marker("embedded") or item.get_closest_marker("spark")
        group = "machine" if slow else item.nodeid if "/faults/" in str(item.path) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
        if not slow and not SLOW.search(item.nodeid):
            item.add_marker(pytest.mark.quick)
