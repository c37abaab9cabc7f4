"""CloudFormation deletes a bucket only when it is empty, as S3 does."""

from typing import Any
from xml.etree import ElementTree

from ministack.services import s3
from ministack.services.cloudformation import provisioners

PRIVATE = {provisioners: ("_RESOURCE_HANDLERS",), s3: ("_delete_bucket",)}


def install() -> None:
    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"] = _delete


def _delete(name: str, _properties: dict[str, Any]) -> None:
    status, _headers, body = s3._delete_bucket(name)
    if status >= 400 and status != 404:  # somebody may have deleted it before
        raise ValueError(f"{ElementTree.fromstring(body).findtext('Message')} ({name})")
