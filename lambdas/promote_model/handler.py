"""A person approved a model, or took an approval back: what is in use is the newest that is approved."""

import hashlib
import logging
import os
from collections.abc import Mapping
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.models import Run, Store, champion_key, packages_of
from causeway.flow.parameters import from_environment
from ml.parameters import PromoteParameters

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


class PromotionError(Exception):
    """An approval that cannot be followed; the model in use goes on."""


def promote(group: str, changed: str, model: str, *, store: Store, registry: Any) -> str:
    """Put the newest approved package of the group to use; "" if there is none. Raises PromotionError."""
    approved = [one for one in packages_of(registry, group) if one["ModelApprovalStatus"] == "Approved"]
    before = store.get(champion_key(model))
    if (
        before
        and changed in [one["ModelPackageArn"] for one in approved]
        and changed != approved[0]["ModelPackageArn"]
    ):
        raise PromotionError(
            f"{changed} was approved, but {approved[0]['ModelPackageArn']} is newer, and approved too"
        )
    if not approved:
        if before:
            store.s3.delete_object(Bucket=store.bucket, Key=champion_key(model))
        return ""
    chosen: str = approved[0]["ModelPackageArn"]
    if before and before["package"] == chosen:
        return chosen
    told = registry.describe_model_package(ModelPackageName=chosen)["CustomerMetadataProperties"]
    run = Run(model, told["run"])
    if told["verdict"] != "passed":
        raise PromotionError(f"{chosen} was approved, but the gate's verdict is: {told['verdict']}")
    data = store.get_bytes(run.file)
    if data is None or hashlib.sha256(data).hexdigest() != told["sha256"]:
        raise PromotionError(f"{chosen}: s3://{store.bucket}/{run.file} is not the file that was registered")
    champion = {
        "package": chosen,
        "run": told["run"],
        "candidate": told["candidate"],
        "tier": int(told["tier"]),
        "threshold": float(told["threshold"]),
        "file": run.file,
        "sha256": told["sha256"],
        "pin": run.pin,
    }
    if not store.replace(champion_key(model), champion, before):
        raise PromotionError(f"{model}: another approval came at the same moment; it is tried again")
    return chosen


def handler(event: Mapping[str, Any], _context: object) -> str:
    parameters, detail = from_environment(PromoteParameters, os.environ), event["detail"]
    group = detail["ModelPackageGroupName"]
    clients = {
        "store": Store(boto3.client("s3", config=PATIENT), parameters.bucket),
        "registry": boto3.client("sagemaker", config=PATIENT),
    }
    chosen = promote(group, detail["ModelPackageArn"], parameters.models[group], **clients)
    logger.info("%s: in use is %s", parameters.models[group], chosen or "no model")
    return chosen
