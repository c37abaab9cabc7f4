"""Reason codes stand once: in the code, and, as the code has them, in the documents."""

import ast
import re
from pathlib import Path

from causeway.flow.codes import Code

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
# Also words of contracts, of formats, or of columns.
ORDINARY = {
    "type",
    "required",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "unique",
    "format",
    "schema",
    "header",
}
ORDINARY |= {
    "encoding",
    "compression",
    "json",
    "rule",
    "fields",
    "length",
    "quote",
    "access",
    "empty",
    "multiple_of",
}


def test_the_documents_have_every_code_with_what_it_means() -> None:
    page = (ROOT / "docs/contracts.md").read_text().partition("## Reason codes")[2]
    assert ROW.findall(page) == [(code.value, code.subject, code.meaning) for code in Code]


def test_no_other_module_spells_a_code() -> None:
    spelled = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for folder in ("causeway", "glue_jobs", "lambdas")
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "causeway/flow/codes.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in {code.value for code in Code} - ORDINARY
    ]
    assert spelled == []


def test_what_is_raised_of_rows_and_objects_takes_its_code_from_there() -> None:
    """The ordinary words too: no call that makes a rejection is given a literal."""
    makers = {"Unreadable", "Malformed", "Check", "Unrouted", "malformed", "unread"}
    literal = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("causeway", "glue_jobs", "lambdas")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in makers
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
        if isinstance(argument, ast.Constant) and argument.value in {code.value for code in Code}
    ]
    assert literal == []
