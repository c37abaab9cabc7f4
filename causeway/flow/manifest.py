"""The manifest: which sources a batch curates. Needs nothing but the standard library."""

import hashlib
import json
from dataclasses import dataclass

BATCHES_PREFIX = "batches/"  # of the landing bucket: the pipeline's own, beside landing/
# Hints: why a source is in a manifest, where that is not simply that a version landed.
REMOVED = "removed:"  # someone deleted it (S3's word for how); unless told so, a source keeps its rows
AGAIN = "again:"  # curate it even if its versions match, as long as its rows are of the snapshot named here
SEEN = "seen:"  # it differs from what the table holds since the snapshot named here
POISON = "poison:"  # this version killed its job when it was alone (of what, each time): quarantine it unread


@dataclass(frozen=True, order=True)
class SourceVersion:
    """A source (a key in the landing bucket), the version that was spoken of, its size in bytes, a hint."""

    source: str
    version: str
    size: int
    hint: str = ""


@dataclass(frozen=True)
class Manifest:
    """The sources of one dataset that one job run curates."""

    dataset: str
    sources: tuple[SourceVersion, ...]

    @property
    def batch(self) -> str:
        """The batch's id: 32 hex digits that depend on dataset, sources, versions and hints alone."""
        listed = json.dumps([self.dataset, [[s.source, s.version, s.hint] for s in sorted(self.sources)]])
        return hashlib.sha256(listed.encode()).hexdigest()[:32]

    @property
    def key(self) -> str:
        """Where the manifest lies in the landing bucket."""
        return manifest_key(self.dataset, self.batch)

    def to_json(self) -> str:
        return json.dumps(
            {
                "dataset": self.dataset,
                "batch": self.batch,
                "sources": [vars(source) for source in sorted(self.sources)],
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        document = json.loads(text)
        return cls(document["dataset"], tuple(SourceVersion(**s) for s in document["sources"]))


def batch_prefix(dataset: str, batch: str) -> str:
    """Where a batch's manifest and reports lie in the landing bucket."""
    return f"{BATCHES_PREFIX}{dataset}/{batch}/"


def dataset_and_batch(uri: str) -> tuple[str, str]:
    """Those in the URI of a manifest; both empty of an empty one."""
    *_, dataset, batch, _ = f"//{uri}".split("/")
    return dataset, batch


def manifest_key(dataset: str, batch: str) -> str:
    """Where a batch's manifest lies in the landing bucket."""
    return f"{batch_prefix(dataset, batch)}manifest.json"
