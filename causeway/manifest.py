"""The manifest: which sources a batch curates. Needs nothing but the standard library."""

import hashlib
import json
from dataclasses import dataclass

LANDING_PREFIX = "landing/"


@dataclass(frozen=True, order=True)
class SourceVersion:
    """A source (a key in the landing bucket) and the version an event spoke of; size in bytes."""

    source: str
    version: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The sources of one dataset that one execution curates."""

    dataset: str
    sources: tuple[SourceVersion, ...]

    @property
    def batch(self) -> str:
        """The batch's id: 32 hex digits that depend on dataset, sources and versions alone."""
        listed = json.dumps([self.dataset, [[s.source, s.version] for s in sorted(self.sources)]])
        return hashlib.sha256(listed.encode()).hexdigest()[:32]

    @property
    def key(self) -> str:
        """Where the manifest lies in the landing bucket."""
        return f"{batch_prefix(self.dataset, self.batch)}manifest.json"

    def to_json(self) -> str:
        sources = [{"source": s.source, "version": s.version, "size": s.size} for s in sorted(self.sources)]
        return json.dumps({"dataset": self.dataset, "batch": self.batch, "sources": sources}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        document = json.loads(text)
        return cls(document["dataset"], tuple(SourceVersion(**s) for s in document["sources"]))


def batch_prefix(dataset: str, batch: str) -> str:
    """Where a batch's manifest and report lie in the landing bucket."""
    return f"batches/{dataset}/{batch}/"


def dataset_of(source: str) -> str:
    """The dataset of a key: what stands between `landing/` and the next slash; "" if nothing does."""
    dataset, slash, _ = source.removeprefix(LANDING_PREFIX).partition("/")
    return dataset if slash and source.startswith(LANDING_PREFIX) else ""
