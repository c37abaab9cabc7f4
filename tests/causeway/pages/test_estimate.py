"""The page of an estimate has every item of it, and fetches nothing."""

import json
from pathlib import Path

import pytest

from causeway.__main__ import main
from causeway.pages.estimate import estimate_page
from tests.causeway.cli.test_profile import Page


def test_the_page_has_every_item_way_and_the_total(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "estimate.html"
    command = ["estimate", "--objects", "1440", "--bytes", "1000000", "--html", str(file), "--json"]
    assert main(command) == 0
    document, page = json.loads(capsys.readouterr().out), Page()
    page.feed(file.read_text("utf-8"))
    for item in document["plan"]["items"]:
        assert {item["name"], f"{item['dollars']:,.2f}", item["price"]} <= set(page.texts)
    for way in [document["plan"], *document["other_windows"]]:
        assert f"{way['dollars']:,.2f}" in page.texts
    assert f"${document['plan']['dollars']:,.2f}" in page.texts
    assert page.fetched == []


def test_prices_of_another_region_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    main(["estimate", "--objects", "10", "--bytes", "0", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert "Prices of eu-central-1 are not known" in estimate_page(
        {**document, "foreign_prices": "eu-central-1"}
    )
