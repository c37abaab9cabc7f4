"""The house stays one to find the way in: small files and functions, documents that name what there is."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST_FILE, LONGEST_FUNCTION = 250, 50
PRODUCT = ("app.py", "causeway", "glue_jobs", "lambdas", "stacks", "local", "partner_kit", "bench")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *(str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").rglob("*.md"))),
]
# `causeway/flow/events.py`, or with a name of it, `causeway/flow/events.py:read_message`
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|toml|md|yaml|json))(?::(\w+(?:\.\w+)?))?`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def sources() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *PRODUCT],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    yield from (
        ROOT / name for name in listed.stdout.split() if name.endswith(".py") and (ROOT / name).exists()
    )


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    functions = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in functions.items() if lines > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("page", PAGES)
def test_a_document_names_only_files_and_functions_that_there_are(page: str) -> None:
    text, missing = (ROOT / page).read_text(), []
    for link in LINK.findall(text):
        if not (ROOT / page).parent.joinpath(link).exists():
            missing.append(link)
    for path, name in PATH.findall(text):
        if path.startswith(("build/", "contracts/trips", "contracts/<")):
            continue  # made by a command, or an example
        if not (ROOT / path).exists() or (name and name not in names(ROOT / path)):
            missing.append(f"{path}:{name}")
    assert missing == []


def names(path: Path) -> set[str]:
    """What a module defines: functions, classes, their methods as Class.method, and constants."""
    defined: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
            inner = node.body if isinstance(node, ast.ClassDef) else []
            defined |= {f"{node.name}.{part.name}" for part in inner if isinstance(part, ast.FunctionDef)}
        elif isinstance(node, ast.Assign):
            defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return defined


def test_one_file_says_the_version_and_the_changelog_begins_with_it() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    (release,) = re.findall(r'(?m)^version = "(.+)"$', project)
    sections = re.findall(r"(?m)^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text())
    assert release == next(section for section in sections if section != "Unreleased")
    for other in ("package.json", "package-lock.json", "tests/browser/package.json"):
        assert '"name": "causeway' in (ROOT / other).read_text()
        assert "version" not in json.loads((ROOT / other).read_text()), other


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_a_workflow_says_what_it_may_and_names_actions_of_others_by_their_commit(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"(?m)^permissions:", text)
    assert [one for one in re.findall(r"uses: (\S+)", text) if not re.search(r"@[0-9a-f]{40}$", one)] == []
