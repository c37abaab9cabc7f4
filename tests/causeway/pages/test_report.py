"""The page of a deployment: what it says of each part of the report."""

from typing import Any

from causeway.pages.report import report_page
from tests.causeway.cli.test_profile import Page

BATCH = "b" * 32
VERSIONS = {"landed": 3, "committed": 1, "superseded": 1, "quarantined": 1}
PROFILE = {
    "snapshot": 7,
    "columns": {"id": {"null_share": 0.0}, "city": {"null_share": 0.25}},
    "associations": [{"x": "id", "y": "city", "effect": 0.5}],
    "quality": [{"holds": False}, {"holds": True}],
}
REASON = {
    "dataset": "trips",
    "code": "type",
    "column": "id",
    "rows": 3,
    "sources": 1,
    "example": {
        "source": "landing/trips/a.csv",
        "line": 3,
        "raw": "x," + "y" * 1000,
        "message": "'x' is no integer",
    },
}
COMMITTED = {
    "dataset": "trips",
    "batch": BATCH,
    "at": "2026-03-01T12:00:00+00:00",
    "snapshot": "8263858367708633115",
    "landed": 1200,
    "curated": 1197,
    "quarantined": 3,
    "versions": VERSIONS,
    "dollars": None,
}
DOCUMENT: dict[str, Any] = {
    "deployment": {"project": "acme", "account": "111111111111", "region": "us-east-1"},
    "state": {
        "total": VERSIONS,
        "datasets": {"trips": VERSIONS, "mail": {"landed": 0}},
        "queue": {"visible": 2, "in_flight": 1},
        "dead_letters": 1,
        "running": 1,
        "failed": [],
    },
    "what_to_do": [
        "1 dead letters: messages that no function could take",
        "  causeway replay --dead-letters",
    ],
    "who_hears": ["nobody hears of budget: write emails under [alerts]"],
    "datasets": {"trips": "Trips by bicycle", "mail": ""},
    "tables": {"trips": {"table": "trips_v2", "rows": 1197, "profile": PROFILE}, "mail": None},
    "quarantine": [REASON],
    "since": "2026-02-01T00:00:00+00:00",
    "freshness": {
        "trips": {"arrival": "2026-03-01T12:00:00+00:00", "age": 7200, "promised": 3600, "late": True},
        "mail": {"arrival": None, "age": None, "promised": None, "late": False},
    },
    "rows": {
        "trips": {"landed": 1200, "curated": 1197, "quarantined": 3},
        "mail": {"landed": 0, "curated": 0, "quarantined": 0},
    },
    "dollars": {"trips": 0.0345, "mail": 0.0},
    "days": {name: {"2026-02-26": {"trips": 3}, "2026-03-01": {"trips": 9}} for name in COMMITTED},
    "batches": [COMMITTED],
    "more_batches": 4,
}
DEMO = {
    "asked": {
        "trips": {"sql": "select 1", "rows": 1197, "snapshot": 7, "header": ["one"], "result": [["first"]]}
    },
    "refusals": {"read landing": "refused", "list the lake": "granted"},
    "answers": ["Who made most films together?"],
    "pages": ["profile-trips.html"],
}


def texts(**more: Any) -> set[str]:
    page = Page()
    page.feed(report_page(DOCUMENT, **more))
    assert page.fetched == more.get("demo", {}).get("pages", [])  # links; the browser's test sees fetches
    return set(page.texts)


def test_a_dataset_that_is_late_and_one_without_rows_are_told_as_such() -> None:
    assert {"2 hours, late", "60 minutes", "trips_v2", "0.25%", "none yet", "never"} <= texts()


def test_a_profile_is_beside_its_dataset() -> None:
    assert {"city, 25.0% null", "id, city: 0.50", "7"} <= texts()


def test_a_batch_without_a_price_does_not_look_free() -> None:
    assert {BATCH, "1,197", "none yet", "And 4 before."} <= texts()


def test_what_needs_a_person_and_who_does_not_hear_is_on_the_page() -> None:
    page = report_page(DOCUMENT)
    assert "causeway replay --dead-letters" in page
    assert "nobody hears of budget" in page


def test_a_sample_is_cut() -> None:
    assert "y" * 298 + "…" in "".join(texts())


def test_the_demos_page_has_what_was_asked_and_refused() -> None:
    demo = {"select 1", "first", "list the lake: granted", "Who made most films together?"}
    assert demo <= texts(demo=DEMO)
    assert not demo & texts()
