"""Vectors in S3 Vectors, by their passages' ids. Functions use this: the standard library and boto3 alone."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from causeway.flow.clients import PATIENT
from causeway.store.database import StoreError

WRITTEN, READ, NEAREST = 500, 100, 100  # vectors of a call, at most: put or deleted; got; found
Vector = tuple[str, Sequence[float], Mapping[str, Any]]  # id, numbers, metadata
T = TypeVar("T")
MOST, MOST_COLUMNS = 1900, 40  # bytes and entries of a vector's metadata; S3 Vectors takes 2 KB and 50
BUCKET = "VectorBucket"  # the output of the store's stack that has its ARN
MORE = "_more"  # in the metadata of a vector whose row has more than S3 Vectors takes: it passes every filter


@dataclass(frozen=True)
class VectorBucket:
    """Has an index for each table with embedded texts."""

    client: Any  # s3vectors
    arn: str

    def index(self, table: str, dimension: int) -> VectorIndex:
        return VectorIndex(self.client, f"{self.arn}/index/{index_name(table, dimension)}")


def vector_bucket(arn: str, session: Any) -> VectorBucket | None:
    """The one of that ARN, if it is any's; calls with this boto3, or session of it."""
    return VectorBucket(session.client("s3vectors", config=PATIENT), arn) if arn else None


def index_name(table: str, dimension: int) -> str:
    """As S3 Vectors takes it: without underscores. An index is of one dimension for good."""
    return f"{table.replace('_', '-')}-{dimension}"


@dataclass(frozen=True)
class VectorIndex:
    """Raises StoreError where S3 Vectors does not do what it is asked."""

    client: Any
    arn: str

    def put(self, vectors: Sequence[Vector]) -> None:
        for some in _parts(vectors, WRITTEN):
            put = [
                {"key": key, "data": {"float32": list(vector)}, "metadata": metadata}
                for key, vector, metadata in some
            ]
            self._call(self.client.put_vectors, vectors=put)

    def delete(self, ids: Sequence[str]) -> None:
        for some in _parts(ids, WRITTEN):
            self._call(self.client.delete_vectors, keys=some)

    def is_empty(self) -> bool:
        return not self._call(self.client.list_vectors, maxResults=1)["vectors"]

    def nearest(self, vector: Sequence[float], where: Mapping[str, Any]) -> dict[str, float]:
        """Distances by id: of the nearest that pass the filter, as many as one call returns."""
        asked: dict[str, Any] = {"filter": where} if where else {}
        found = self._call(
            self.client.query_vectors,
            queryVector={"float32": list(vector)},
            topK=NEAREST,
            returnDistance=True,
            **asked,
        )
        return {one["key"]: one["distance"] for one in found["vectors"]}

    def distances(self, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
        """Of these, each compared."""
        return {key: 1 - _cosine(vector, other) for key, other in self._get(ids)}

    def _get(self, ids: Sequence[str]) -> Iterator[tuple[str, Sequence[float]]]:
        for some in _parts(ids, READ):
            for one in self._call(self.client.get_vectors, keys=some, returnData=True)["vectors"]:
                yield one["key"], one["data"]["float32"]

    def _call(self, operation: Callable[..., Any], **request: Any) -> Any:
        try:
            return operation(indexArn=self.arn, **request)
        except ClientError as error:
            told = error.response["Error"]
            raise StoreError(f"S3 Vectors: {told['Code']}: {told['Message']}") from error


def equalities(values: Mapping[str, str | float | bool]) -> dict[str, Any]:
    """The filter that lets through what has all of these values, or may have them."""
    if not values:
        return {}
    every = [{name: {"$eq": value}} for name, value in values.items()]
    return {"$or": [{"$and": every}, {MORE: {"$eq": True}}]}


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(map(operator.mul, one, other)) / (math.hypot(*one) * math.hypot(*other))


def _parts(all_: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (all_[start : start + most] for start in range(0, len(all_), most))
