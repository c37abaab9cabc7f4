"""The page of what runs cost: its bars are its sums, and it fetches nothing."""

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from causeway.__main__ import main
from causeway.operate.costs import Spending
from causeway.pages.chart import HEIGHT
from causeway.pages.costs import costs_page
from tests.causeway.cli.test_costs import put, run
from tests.causeway.cli.test_profile import Page
from tests.causeway.conftest import Deployed

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
BARS = re.compile(r'x="([\d.]+)" y="[\d.-]+" width="[\d.]+" height="([\d.]+)"><title>')


def page_of(*runs: Any, budget: int = 100, committed: Any = (), region: str = "us-east-1") -> str:
    spending = Spending(SINCE, region, runs, committed)
    return costs_page({by: spending.by(by) for by in ("dataset", "day", "batch")}, spending.days(), budget)


def on(day: int, dataset: str = "trips", **more: Any) -> Any:
    at = (SINCE + timedelta(days=day)).isoformat(timespec="seconds")
    return run(id=f"{day}{dataset}", dataset=dataset, at=at, **more)


def test_each_day_s_bar_is_as_tall_as_what_it_cost() -> None:
    page = page_of(on(0), on(0, "mail"), on(3, glue={"ExecutionTime": 180}))
    tall: defaultdict[str, float] = defaultdict(float)
    for x, height in BARS.findall(page):
        tall[x] += float(height)
    assert [round(height) for height in tall.values()] == [HEIGHT, HEIGHT]
    assert len({x for x, _ in BARS.findall(page)}) == 2
    assert "2026-01-01, mail: $0.0220" in page
    assert "2026-01-04, trips: $0.0440" in page


def test_the_tables_have_every_dataset_day_and_batch() -> None:
    page = Page()
    page.feed(page_of(on(0), on(1, "mail", batch="b" * 32)))
    assert {"trips", "mail", "2026-01-01", "2026-01-02", f"mail {'b' * 32}"} <= set(page.texts)
    assert page.fetched == []


@pytest.mark.parametrize(("budget", "shown"), [(1, True), (2, False), (1000, False)])
def test_the_budgets_line_is_there_where_one_would_see_it(budget: int, shown: bool) -> None:
    assert ("budget, a day" in page_of(on(0), budget=budget)) == shown


def test_what_is_partial_or_of_another_region_is_told() -> None:
    page = page_of(on(0), committed=[{"batch": "unheard"}], region="eu-central-1")
    assert "Partial: of batches committed since, 1 have no price" in page
    assert "Prices of eu-central-1 are not known" in page
    assert "Not seen here: storage" in page


def test_nothing_ran_is_a_page_that_says_so() -> None:
    assert "No run has ended since." in page_of()


def test_no_name_is_taken_for_html() -> None:
    page = page_of(on(0, "<script>alert(1)</script>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_more_datasets_than_colours_are_all_in_the_bars() -> None:
    page = page_of(*(on(0, f"d{n}") for n in range(9)))
    heights: defaultdict[str, float] = defaultdict(float)
    for x, height in BARS.findall(page):
        heights[x] += float(height)
    assert list(heights.values()) == [pytest.approx(HEIGHT, abs=1)]
    assert "c8" not in page


def test_the_command_writes_it(deployed: Deployed, tmp_path: Path) -> None:
    put(deployed, run(id="1"))
    assert main(["costs", "--html", str(tmp_path / "costs.html")]) == 0
    assert "trips" in (tmp_path / "costs.html").read_text("utf-8")


def test_dollars_per_gigabyte_have_a_bar_for_each_day_of_which_the_size_is_known() -> None:
    runs = [on(0, part="a"), on(1, part="b", glue={"ExecutionTime": 180}), on(2, part="c")]
    committed = [
        {"batch": "a", "landed": 1, "size": 10**9},
        {"batch": "b", "landed": 1, "size": 10**9},
        {"batch": "c", "landed": 1},
    ]
    page = page_of(*runs, committed=committed)
    assert "2026-01-01, per GB: $0.0200" in page
    assert "2026-01-02, per GB: $0.0400" in page
    assert "2026-01-03, per GB" not in page
    assert "Dollars per GB that landed" not in page_of(on(0))
