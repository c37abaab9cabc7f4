"""Every page as a person may see it, in a real browser: on a screen, in the dark, on a phone, in print."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from causeway.__main__ import main
from causeway.pages.model import model_page
from causeway.pages.report import report_page
from local.demo.story import weather_lines
from tests.causeway.pages.test_costs import on, page_of
from tests.causeway.pages.test_model import LATER, PASSED, PIN
from tests.causeway.pages.test_report import DEMO, DOCUMENT

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NODE = ROOT / ".venv" / "bin" / "node"
DARK, LIGHT = 80, 200  # of 255
WAYS = ("screen", "dark", "phone", "print")

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="the browser that a package brings is for Linux on x86-64",
)


def costs() -> str:
    runs = [on(day, dataset, part=f"{day}{dataset}") for day in range(20) for dataset in ("trips", "mail")]
    sizes = [{"batch": run.part, "landed": 1000, "size": 10**9} for run in runs]
    return page_of(*runs, committed=[*sizes, {"batch": "unheard"}])


def profile() -> str:
    with tempfile.TemporaryDirectory() as folder:
        file, page = Path(folder) / "weather.jsonl", Path(folder) / "weather.html"
        file.write_text("".join(weather_lines()[:500]), "utf-8")
        contract = str(ROOT / "contracts/weather.odcs.yaml")
        assert main(["profile", str(file), "--contract", contract, "--html", str(page)]) == 0
        return page.read_text("utf-8")


def estimate() -> str:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "estimate.html"
        assert main(["estimate", "--objects", "1440", "--bytes", "1000000", "--html", str(page)]) == 0
        return page.read_text("utf-8")


def report() -> str:
    return report_page(DOCUMENT, DEMO)


def model() -> str:
    return model_page(LATER, PASSED, PIN)


# Each page, and what a person reads there in any case.
PAGES: dict[str, tuple[Callable[[], str], str]] = {
    "costs": (costs, "Dollars per GB that landed, by day"),
    "estimate": (estimate, "a run of the job for each object, a month"),
    "profile": (profile, "Profile of weather"),
    "report": (report, "The way of the data"),
    "model": (model, "Model spam: passed"),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the browser says of each page, in each of the ways."""
    folder = tmp_path_factory.mktemp("pages")
    for name, (html, _) in PAGES.items():
        (folder / f"{name}.html").write_text(html(), "utf-8")
    files = [str(folder / f"{name}.html") for name in PAGES]
    # Where the package unpacks its browser, with the libraries that this machine may lack.
    environment = {**os.environ, "TMPDIR": str(folder), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x"}
    done = subprocess.run(
        [str(NODE), str(HERE / "look.mjs"), *files],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {Path(file).stem: ways for file, ways in json.loads(done.stdout).items()}


Seen = dict[str, dict[str, Any]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_fetches_nothing_and_breaks_no_rule_of_accessibility(
    seen: Seen, name: str, way: str
) -> None:
    page = seen[name][way]
    assert PAGES[name][1] in page["text"]
    assert page["title"]
    assert (page["fetched"], page["errors"], page["violations"]) == ([], [], [])


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_a_page_lies_beside_a_phones_screen(seen: Seen, name: str) -> None:
    assert seen[name]["phone"]["overflow"] <= 0


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_dark_where_a_person_wants_it_dark(seen: Seen, name: str) -> None:
    light, dark = (brightness(seen[name][way]["background"]) for way in ("screen", "dark"))
    assert dark < DARK
    assert light > LIGHT


def brightness(colour: str) -> float:
    """Of rgb(r, g, b), from 0 to 255."""
    parts = [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(parts) / len(parts)


def test_the_costs_have_a_bar_for_each_dataset_and_day_and_for_each_day_a_gigabytes(seen: Seen) -> None:
    assert seen["costs"]["screen"]["bars"] == 20 * 2 + 20
