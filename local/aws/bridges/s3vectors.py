"""S3 Vectors, which the emulator lacks: moto keeps vectors, and every one of them is compared in a query."""

import asyncio
import json
from functools import partial
from typing import Any

import numpy as np
from ministack import app
from ministack.core import iam_actions, responses, router
from ministack.services.cloudformation import provisioners
from moto.s3vectors.models import S3VectorsBackend, Vector, s3vectors_backends
from moto.utilities.utils import get_partition

from local.aws.bridges import by_moto
from local.aws.bridges.by_moto import Answer

SERVICE = "s3vectors"
PRIVATE = {
    app: ("SERVICE_HANDLERS",),
    iam_actions: ("SERVICE_TO_IAM_NAMESPACE", "_BOTOCORE_SERVICE_MAP", "extract_resource_arn"),
    provisioners: ("_RESOURCE_HANDLERS",),
    router: ("SERVICE_PATTERNS",),
}
NEAREST, METADATA = 100, 2048  # vectors that a query returns, bytes that a filter may ask of one: at most


def install() -> None:
    app.SERVICE_HANDLERS[SERVICE] = _handle
    router.SERVICE_PATTERNS[SERVICE] = {"host_patterns": []}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    iam_actions._BOTOCORE_SERVICE_MAP[SERVICE] = [SERVICE]
    iam_actions.extract_resource_arn = partial(_resource, iam_actions.extract_resource_arn)
    provisioners._RESOURCE_HANDLERS["AWS::S3Vectors::VectorBucket"] = {
        "create": _create_bucket,
        "delete": lambda arn, _: _backend().delete_vector_bucket(arn.rpartition("/")[2]),
    }
    provisioners._RESOURCE_HANDLERS["AWS::S3Vectors::Index"] = {
        "create": _create_index,
        "delete": lambda arn, _: _backend().delete_index("", "", arn),
    }


async def _handle(
    _method: str, path: str, _headers: dict[str, str], body: bytes | str, _query: dict[str, Any]
) -> Answer:
    return await asyncio.to_thread(call, path.rpartition("/")[2], json.loads(body or "{}"))


def call(operation: str, request: dict[str, Any]) -> Answer:
    """Answer a request: by moto, which knows no queries and no limits of metadata."""
    if operation == "QueryVectors":
        return _query(request)
    for vector in request.get("vectors", []):
        if len(json.dumps(vector.get("metadata", {}), ensure_ascii=False).encode()) > METADATA:
            return _refused(f"{vector['key']}: filterable metadata must have at most {METADATA} bytes")
    url = f"https://s3vectors.{responses.get_region()}.api.aws/{operation}"
    return by_moto.ask(url, request, Content_Type="application/json")


def _query(request: dict[str, Any]) -> Answer:
    if not 1 <= request["topK"] <= NEAREST:
        return _refused(f"topK must be 1 to {NEAREST}")
    index = _backend().get_index("", "", request["indexArn"])
    vectors = [one for one in index.vectors.values() if _passes(one, request.get("filter", {}))]
    if not vectors:
        return _answered({"vectors": [], "distanceMetric": "cosine"})
    matrix = np.array([one.data["float32"] for one in vectors], np.float32)
    asked = np.array(request["queryVector"]["float32"], np.float32)
    distances = 1 - matrix @ asked / (np.linalg.norm(matrix, axis=1) * np.linalg.norm(asked))
    nearest = np.argsort(distances, kind="stable")[: request["topK"]]
    found = [{"key": vectors[at].key, "distance": float(distances[at])} for at in nearest]
    return _answered({"vectors": found, "distanceMetric": "cosine"})


def _passes(vector: Vector, where: dict[str, Any]) -> bool:
    """By what Causeway asks for: equalities, all of them or any; a list passes by one of its entries."""
    return all(_each(vector.metadata or {}, vector, name, asked) for name, asked in where.items())


def _each(metadata: dict[str, Any], vector: Vector, name: str, asked: Any) -> bool:
    if name in ("$and", "$or"):
        return (all if name == "$and" else any)(_passes(vector, one) for one in asked)
    value = metadata.get(name)
    return asked["$eq"] in (value if isinstance(value, list) else [value])


def _answered(answer: dict[str, Any], status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(answer).encode()


def _refused(message: str) -> Answer:
    status, headers, body = _answered({"message": message}, 400)
    return status, {**headers, "x-amzn-ErrorType": "ValidationException"}, body


def _backend() -> S3VectorsBackend:
    return s3vectors_backends[responses.get_account_id()][get_partition(responses.get_region())]


def _create_bucket(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    name, encryption = properties["VectorBucketName"], properties.get("EncryptionConfiguration", {})
    region = responses.get_region()
    kept = {"sseType": encryption.get("SseType", ""), "kmsKeyArn": encryption.get("KmsKeyArn", "")}
    _backend().create_vector_bucket(region, name, kept if encryption else {}, _tags(properties))
    arn = _backend().get_vector_bucket(name).vector_bucket_arn
    return arn, {"VectorBucketArn": arn}


def _create_index(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    bucket, name = properties["VectorBucketArn"], properties["IndexName"]
    kind, metric = properties["DataType"], properties["DistanceMetric"]
    dimension = int(properties["Dimension"])
    _backend().create_index("", bucket, name, kind, dimension, metric, _tags(properties))
    return f"{bucket}/index/{name}", {"IndexArn": f"{bucket}/index/{name}"}


def _tags(properties: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def _resource(extract: Any, service: str, *request: Any) -> str:
    """Which index or bucket a call is checked against."""
    if service != SERVICE:
        return str(extract(service, *request))
    _method, _path, _headers, body, *_ = request
    asked = json.loads(body or "{}")
    return str(asked.get("indexArn") or asked.get("vectorBucketArn") or asked.get("resourceArn") or "*")
