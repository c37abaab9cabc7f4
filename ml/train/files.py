"""Models' files: skops, which holds no code, the same bytes for the same model.

What a file may hold is listed here. Never by the file's own list: a crafted one would trust itself.
"""

import hashlib
import io
import json
import zipfile
from typing import Any

import skops.io

# Beyond what skops trusts by itself: what the candidates are made of.
TRUSTED = frozenset(
    {
        "ml.train.columns.Numbers",
        "ml.train.columns.Words",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
SCHEMA = "schema.json"
EPOCH = (1980, 1, 1, 0, 0, 0)


class UntrustedModelError(ValueError):
    """A file that holds what no candidate is made of, or is not the one that was registered."""


def to_bytes(model: Any) -> bytes:
    """The model's file: the same bytes for models that were trained alike.

    skops names parts by where they lay in memory, which differs.
    """
    written = zipfile.ZipFile(io.BytesIO(skops.io.dumps(model)))
    names: dict[int, int] = {}
    schema = _renumbered(json.loads(written.read(SCHEMA)), names)
    parts = {SCHEMA: json.dumps(schema).encode()}
    for name in written.namelist():
        if name != SCHEMA:
            place, _, suffix = name.partition(".")
            parts[f"{names[int(place)]}.{suffix}"] = written.read(name)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(parts):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), parts[name], zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def _renumbered(node: Any, names: dict[int, int]) -> Any:
    """The schema with parts numbered as they come. A plain value has its own: its place is used again."""
    if isinstance(node, list):
        return [_renumbered(one, names) for one in node]
    if not isinstance(node, dict):
        return node
    renumbered: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__":
            fresh = len(names) + 1
            own = node.get("__loader__") == "JsonNode"
            renumbered[key] = names.setdefault(-fresh if own else value, fresh)
        elif key == "file":
            place, _, suffix = str(value).partition(".")
            renumbered[key] = f"{names.setdefault(int(place), len(names) + 1)}.{suffix}"
        else:
            renumbered[key] = _renumbered(value, names)
    return renumbered


def from_bytes(data: bytes, sha256: str | None = None) -> Any:
    """The model of a file, if it is the one with that hash. Raises UntrustedModelError."""
    if sha256 is not None and digest(data) != sha256:
        raise UntrustedModelError(
            f"the model's file has the hash {digest(data)}, and {sha256} was registered"
        )
    unknown = set(skops.io.get_untrusted_types(data=data)) - TRUSTED
    if unknown:
        raise UntrustedModelError(
            f"the model's file holds {', '.join(sorted(unknown))}, which no candidate is made of"
        )
    return skops.io.loads(data, trusted=sorted(TRUSTED))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
