"""A draft of a contract, of one table, with the properties that a test is about."""

from collections.abc import Callable
from pathlib import Path

import pytest

Draft = Callable[..., Path]

HEAD = (
    "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: {version}\n"
    "schema:\n- name: orders\n  properties:\n"
)


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    def write(body: str, version: str = "1.0.0", name: str = "orders.odcs.yaml") -> Path:
        path = tmp_path / name
        path.write_text(HEAD.format(version=version) + body)
        return path

    return write
