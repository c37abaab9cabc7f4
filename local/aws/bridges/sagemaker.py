"""SageMaker's API, which the emulator lacks: moto answers it in process, and its jobs run."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from ministack import app
from ministack.core import iam_actions, responses, router

from local.aws.bridges import by_moto, roles, sagemaker_jobs, sagemaker_registry
from local.aws.bridges.by_moto import Answer
from local.aws.bridges.sagemaker_registry import Call

PRIVATE = {
    **roles.PRIVATE,
    app: ("SERVICE_HANDLERS",),
    iam_actions: ("SERVICE_TO_IAM_NAMESPACE", "extract_resource_arn"),
    router: ("SERVICE_PATTERNS",),
}
RESOURCES = {  # the resource that a request's parameter names
    "TrainingJobName": "training-job",
    "ProcessingJobName": "processing-job",
    "ModelPackageName": "model-package",
    "ModelPackageArn": "model-package",
    "ModelPackageGroupName": "model-package-group",
}


def install() -> None:
    app.SERVICE_HANDLERS["sagemaker"] = _handle
    # Without, the emulator reads all of botocore's models first, to see whether there is such a service.
    router.SERVICE_PATTERNS["sagemaker"] = {"target_prefixes": ["SageMaker"], "host_patterns": []}
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions.extract_resource_arn = partial(_resource, iam_actions.extract_resource_arn)


async def _handle(
    _method: str, _path: str, headers: dict[str, str], body: bytes | str, _query: dict[str, Any]
) -> Answer:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    return await asyncio.to_thread(_call, operation, json.loads(body or "{}"))


def _call(operation: str, request: dict[str, Any]) -> Answer:
    """Answer a request: by moto, or by what bridges over its differences from AWS."""
    bridge = OPERATIONS.get(operation)
    return bridge(partial(_moto, operation), request) if bridge else _moto(operation, request)


def _create_job(kind: sagemaker_jobs.Kind, call: Call, request: dict[str, Any]) -> Answer:
    if request.get(f"{kind}JobName") in sagemaker_jobs.jobs_of(kind):  # moto would replace it
        message = f"{kind} job names must be unique within an AWS account and Region"
        return sagemaker_registry.error("ResourceInUse", message)
    answer = call(request)
    if answer[0] < 400:
        sagemaker_jobs.start(kind, request)
    return answer


OPERATIONS: dict[str, Callable[[Call, dict[str, Any]], Answer]] = {
    **sagemaker_registry.OPERATIONS,
    "CreateTrainingJob": partial(_create_job, "Training"),
    "CreateProcessingJob": partial(_create_job, "Processing"),
}


def _moto(operation: str, request: dict[str, Any]) -> Answer:
    url = f"https://api.sagemaker.{responses.get_region()}.amazonaws.com/"
    target, kind = f"SageMaker.{operation}", "application/x-amz-json-1.1"
    return by_moto.ask(url, request, X_Amz_Target=target, Content_Type=kind)


def _resource(extract: Callable[..., str], service: str, *request: Any) -> str:
    """Which job, package or group a SageMaker call is checked against."""
    if service != "sagemaker":
        return extract(service, *request)
    _method, _path, headers, body, _query, region, account = request
    parameters = json.loads(body or "{}")
    named = next((key for key in RESOURCES if key in parameters), None)
    name = str(parameters[named] if named else parameters.get("ResourceArn", "*"))
    if name == "*" or name.startswith("arn:"):
        return name
    kind = RESOURCES[str(named)]
    call = headers.get("x-amz-target", "").rpartition(".")[2]
    if call == "CreateModelPackage" and kind == "model-package-group":
        # Its version, which comes with the answer, is part of its name.
        kind, name = "model-package", f"{name.lower()}/*"
    return f"arn:aws:sagemaker:{region}:{account}:{kind}/{name}"
