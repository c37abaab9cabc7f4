"""The documentation's site: `make site`. A link that leads nowhere is an error."""

import re
from pathlib import Path
from typing import Any

from sphinx.util import logging

DOCS = Path(__file__).parent
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")  # their links are checked too

project = "Causeway"
html_title = project
html_theme = "furo"
html_show_copyright = False
extensions = ["myst_parser"]
root_doc = "index"
exclude_patterns = ["access", "site"]
myst_heading_anchors = 4
nitpicky = True


def _without_files(app: Any, name: str, source: list[str]) -> None:
    """Links to what is in the repository and not on the site become plain text, if it is there at all."""
    page = DOCS / f"{name}.md"

    def plain(link: re.Match[str]) -> str:
        text, target, _ = link.groups()
        path = (page.parent / target).resolve()
        _must_be_there(page, path)
        return link[0] if path.suffix == ".md" and path.is_relative_to(DOCS) else text

    source[0] = LINK.sub(plain, source[0])


def _check_beside(app: Any) -> None:
    for name in BESIDE:
        page = DOCS.parent / name
        for _, target, _ in LINK.findall(page.read_text("utf-8")):
            _must_be_there(page, (page.parent / target).resolve())


def _must_be_there(page: Path, path: Path) -> None:
    if not path.exists():
        logging.getLogger(__name__).warning("%s links to %s, which is not there", page.name, path)


def setup(app: Any) -> None:
    app.connect("builder-inited", _check_beside)
    app.connect("source-read", _without_files)
