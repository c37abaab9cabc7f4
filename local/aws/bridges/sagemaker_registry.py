"""The model registry as AWS keeps it: what an update does not name stays, and a change sends an event."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from local.aws.bridges.by_moto import Answer
from local.aws.bridges.sagemaker_jobs import backend

PRIVATE = {eventbridge: ("_put_events",), provisioners: ("_RESOURCE_HANDLERS",)}
Request = dict[str, Any]
Call = Callable[[Request], Answer]  # of moto
ANNOUNCED = (
    "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription",
    "CreationTime", "InferenceSpecification", "ModelPackageStatus", "ModelPackageStatusDetails",
    "CertifyForMarketplace", "ModelApprovalStatus", "MetadataProperties", "ModelMetrics", "LastModifiedTime",
    "ApprovalDescription",
)  # fmt: skip


def install() -> None:
    provisioners._RESOURCE_HANDLERS["AWS::SageMaker::ModelPackageGroup"] = {
        "create": _create_group_of_stack,
        "delete": _delete_group_of_stack,
    }


def _create_package(call: Call, request: Request) -> Answer:
    answer = call(request)
    if answer[0] < 400:
        package = backend().model_packages[json.loads(answer[2])["ModelPackageArn"]]
        package.model_card = request.get("ModelCard")  # moto does not keep it
        _announce(package)
    return answer


def _describe_package(call: Call, request: Request) -> Answer:
    status, headers, body = call(request)
    if status < 400:
        described = json.loads(body)
        if card := backend().model_packages[described["ModelPackageArn"]].model_card:
            body = json.dumps({**described, "ModelCard": card}).encode()
    return status, headers, body


def _update_package(call: Call, request: Request) -> Answer:
    """Update the package; moto forgets the status, description and properties that the request lacks."""
    package = backend().model_packages.get(request.get("ModelPackageArn"))
    if package is None:
        return call(request)
    before = package.model_approval_status
    kept = {"ModelApprovalStatus": before, "ApprovalDescription": package.approval_description}
    properties = {
        **(package.customer_metadata_properties or {}),
        **request.get("CustomerMetadataProperties", {}),
    }
    answer = call({**kept, **request, "CustomerMetadataProperties": properties})
    if answer[0] < 400 and package.model_approval_status != before:
        _announce(package)
    return answer


def _announce(package: Any) -> None:
    """Tell the account's default bus what the package is now."""
    described = package.gen_response_object()
    entry = {
        "Source": "aws.sagemaker",
        "DetailType": "SageMaker Model Package State Change",
        "Resources": [package.arn],
        "Detail": json.dumps({key: described[key] for key in ANNOUNCED if key in described}, default=str),
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _delete_package(_call: Call, request: Request) -> Answer:
    arn = request["ModelPackageName"]
    if backend().model_packages.pop(arn, None) is None:
        return error("ValidationException", f"ModelPackage {arn} does not exist.")
    return 200, {}, b""


def _delete_group(_call: Call, request: Request) -> Answer:
    group = request["ModelPackageGroupName"].rpartition("/")[2]
    if group not in backend().model_package_groups:
        return error("ValidationException", f"ModelPackageGroup {group} does not exist.")
    if any(package.model_package_group_name == group for package in backend().model_packages.values()):
        return error("ConflictException", f"ModelPackageGroup {group} still contains model packages.")
    del backend().model_package_groups[group]
    return 200, {}, b""


def error(code: str, message: str) -> Answer:
    """The answer that refuses a request, as AWS words it."""
    return 400, {}, json.dumps({"__type": code, "message": message}).encode()


OPERATIONS: dict[str, Callable[[Call, Request], Answer]] = {
    "CreateModelPackage": _create_package,
    "DescribeModelPackage": _describe_package,
    "UpdateModelPackage": _update_package,
    "DeleteModelPackage": _delete_package,  # moto has neither
    "DeleteModelPackageGroup": _delete_group,
}


# A handler returns the resource's physical id and its attributes.
def _create_group_of_stack(_logical_id: str, properties: Request, _stack: str) -> tuple[str, dict[str, str]]:
    name, description = (
        properties["ModelPackageGroupName"],
        properties.get("ModelPackageGroupDescription", ""),
    )
    arn: str = backend().create_model_package_group(name, description, properties.get("Tags", []))
    return arn, {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}


def _delete_group_of_stack(arn: str, _properties: Request) -> None:
    """Delete the group; as in AWS, one with packages in it fails the deletion of its stack."""
    status, _headers, body = _delete_group(lambda _request: error("", ""), {"ModelPackageGroupName": arn})
    response = json.loads(body or "{}")
    if status >= 400 and response["__type"] == "ConflictException":
        raise ValueError(response["message"])
