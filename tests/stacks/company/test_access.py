"""What the partner stack guarantees; tests/access proves the permissions themselves."""

from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

from tests.stacks.conftest import normalised, resources


def test_the_template_is_the_reviewed_one(partner: Template, snapshot: SnapshotAssertion) -> None:
    assert normalised(partner) == snapshot


def test_both_roles_have_the_boundary_the_path_and_an_hour_at_most(partner: Template) -> None:
    roles = resources(partner, "AWS::IAM::Role")
    assert len(roles) == 2
    for role in roles.values():
        assert role["Properties"]["Path"] == "/causeway/partner/"
        assert role["Properties"]["MaxSessionDuration"] == 3600
        assert role["Properties"]["PermissionsBoundary"]
