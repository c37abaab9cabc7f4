"""The report: what a batch did, as JSON. A commit refers to it, so it is part of the table's history."""

import json
from dataclasses import asdict, dataclass, field

from causeway.flow.manifest import batch_prefix

FORMAT_VERSION = 1
# In a job's log, for a metric: objects of a batch that it could not read at all.
REJECTED_WHOLE = "rejected whole"


@dataclass(frozen=True)
class SourceReport:
    """What became of one source at one version. landed = curated + quarantined, in rows.

    `version` is None when the source was gone. `unreadable` marks a whole object that ended as one
    quarantined record; its rows are not known and count as none.
    """

    source: str
    version: str | None
    landed: int = 0
    curated: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    unreadable: bool = False


@dataclass(frozen=True)
class Report:
    """What a batch did. `seconds` is wall time up to the commit; `run` names the job run; `size` is
    that of what was curated, in bytes.

    `versions` accounts for the manifest, in source versions: landed = committed + superseded (S3 holds
    another by now, or none) + quarantined (as whole objects).
    """

    dataset: str
    batch: str
    run: str
    contract: str
    sources: tuple[SourceReport, ...]
    rejected_files: tuple[str, ...] = ()
    seconds: float = 0.0
    versions: dict[str, int] = field(default_factory=dict)
    size: int = 0

    @property
    def key(self) -> str:
        """Where the report lies in the landing bucket: beside the manifest, one for each try."""
        return f"{batch_prefix(self.dataset, self.batch)}report-{self.run}.json"

    @property
    def totals(self) -> dict[str, int]:
        """Rows landed, curated and quarantined, over all sources."""
        names = ("landed", "curated", "quarantined")
        return {name: sum(getattr(source, name) for source in self.sources) for name in names}

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT_VERSION, **self.totals, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Report":
        document = json.loads(text)
        document.setdefault("size", 0)  # reports of earlier versions lack it
        known = {name: document[name] for name in cls.__dataclass_fields__}
        known["sources"] = tuple(SourceReport(**source) for source in document["sources"])
        known["rejected_files"] = tuple(document["rejected_files"])
        return cls(**known)
