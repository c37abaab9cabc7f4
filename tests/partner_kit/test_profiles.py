"""A snapshot's profile, or that of the nearest one before it."""

import json
from datetime import datetime, timedelta

import boto3
import jsonschema  # type: ignore[import-untyped]
import pytest
from botocore.exceptions import ClientError
from pyiceberg.io.pyarrow import PyArrowFileIO

from causeway.cli.partner_kit import PROFILE_SCHEMA
from partner_kit.errors import KitError
from partner_kit.profiles import profile_of
from tests.partner_kit.lake import NOON, Lake, committed


def test_the_documents_here_are_as_the_schema_says(lake: Lake) -> None:
    jsonschema.validate(committed(lake, 1).profile(1), json.loads(PROFILE_SCHEMA.read_text()))


def test_the_newest_snapshots_own_profile_is_read_and_no_age_is_said(lake: Lake) -> None:
    committed(lake, 1, 2).profile(1)
    document = lake.profile(2)
    found = profile_of(lake.table)
    assert (found.document, found.snapshot, found.commits_older, found.age) == (document, 2, 0, "")


def test_a_snapshot_without_one_gets_that_of_its_nearest_ancestor_and_its_age(lake: Lake) -> None:
    committed(lake, 1, 2, 3, 4).profile(1)
    lake.profile(2)
    found = profile_of(lake.table)
    assert (found.snapshot, found.asked, found.age) == (2, 4, "2 commits and 2 hours older")


def test_a_pinned_snapshot_never_gets_a_profile_of_later_rows(lake: Lake) -> None:
    committed(lake, 1, 2, 3, 4).profile(1)
    lake.profile(4)
    found = profile_of(lake.table, snapshot=3)
    assert (found.snapshot, found.asked, found.commits_older) == (1, 3, 2)


def test_a_profile_of_a_snapshot_that_was_rolled_back_or_is_on_a_branch_is_not_taken(lake: Lake) -> None:
    committed(lake, 1, 2).profile(1)
    lake.profile(2)
    lake.commit(3, after=1)
    assert profile_of(lake.table).snapshot == 1


def test_a_profile_of_an_ancestor_that_the_table_keeps_no_more_is_still_found(lake: Lake) -> None:
    lake.commit(2, after=1)
    lake.profile(1, committed=NOON - timedelta(minutes=59))
    assert profile_of(lake.table).age == "1 commit and less than an hour older"


def test_an_offset_of_the_commits_time_counts(lake: Lake) -> None:
    committed(lake, 1, 2)
    lake.profile(1, committed=datetime.fromisoformat("2026-03-01T14:00:00+02:00"))
    assert profile_of(lake.table).older == timedelta(hours=1)


def test_clocks_that_differ_make_no_profile_younger_than_its_rows(lake: Lake) -> None:
    committed(lake, 1, 2).profile(1, committed=NOON + timedelta(hours=1, seconds=1))
    assert profile_of(lake.table).age == "1 commit and less than an hour older"


ODD = ("", "README", "2.json.tmp", "2.JSON", "02.json", "2", "old/2.json", "x2.json")


@pytest.mark.parametrize("name", ODD)
def test_an_object_of_another_name_in_the_folder_is_no_profile(lake: Lake, name: str) -> None:
    committed(lake, 1, 2).profile(1)
    lake.put(name, "no profile")
    assert profile_of(lake.table).snapshot == 1


def test_a_profile_beyond_the_first_page_of_the_folder_is_found(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    committed(lake, 9, 10).profile(9)
    for number in range(100, 104):
        lake.put(f"{number}.json", "{}")
    assert profile_of(lake.table).snapshot == 9


def test_the_folder_is_listed_once_whatever_ancestors_have_none_and_lies_in_folders_below(
    lake: Lake, session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    committed(lake, *range(1, 50)).profile(1)
    for number in range(5):
        lake.put(f"files/{number}", "counts")
    calls, client = [], session.client("s3")
    client.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    monkeypatch.setattr(session, "client", lambda _: client)
    assert profile_of(lake.table).commits_older == 48
    assert calls == ["ListObjectsV2", "GetObject"]


def test_no_profile_yet_is_one_line_that_says_what_to_do(lake: Lake) -> None:
    committed(lake, 1, 2)
    with pytest.raises(
        KitError, match="no profile of snapshot 2 or of one before it; at most one a day is made"
    ):
        profile_of(lake.table)


def test_where_only_later_snapshots_have_profiles_they_are_named(lake: Lake) -> None:
    committed(lake, 1, 2, 3).profile(2)
    lake.profile(3)
    with pytest.raises(KitError, match=r"of snapshot 1 or .*; there are profiles of 2, 3; name one of these"):
        profile_of(lake.table, 1)


def test_a_table_without_a_snapshot_has_no_profile(lake: Lake) -> None:
    with pytest.raises(KitError, match=r"lake\.flights has no snapshot yet, and so no profile"):
        profile_of(lake.table)


def test_a_snapshot_that_there_is_not_is_told_from_one_without_a_profile(lake: Lake) -> None:
    committed(lake, 1).profile(1)
    with pytest.raises(KitError, match=r"has no snapshot 7: .*; there are 1 of 2026-03-01 12:00 UTC"):
        profile_of(lake.table, 7)


@pytest.mark.parametrize("body", ["", "{", "[]", "7", '{"format": 1}', '{"format": 1, "committed_at": 7}'])
def test_a_damaged_profile_is_named(lake: Lake, body: str) -> None:
    committed(lake, 1).put("1.json", body)
    with pytest.raises(KitError, match=r"s3://lake/flights/profiles/1\.json is no profile: .*; send this"):
        profile_of(lake.table)


def test_a_format_of_later_is_not_read_as_if_it_were_of_now(lake: Lake) -> None:
    committed(lake, 1).profile(1, format=2)
    with pytest.raises(KitError, match="has format 2; this kit reads 1; ask for the newer kit"):
        profile_of(lake.table)


def test_a_table_of_another_catalog_is_told_how_to_be_opened(lake: Lake) -> None:
    committed(lake, 1).profile(1)
    table = lake.table
    table.io = PyArrowFileIO()
    with pytest.raises(KitError, match=r"open it with partner_kit\.tables\.open_table"):
        profile_of(table)


def test_a_role_that_may_not_list_is_told_so_in_one_line(
    lake: Lake, session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = session.client("s3")
    denied = {"Error": {"Code": "AccessDenied", "Message": "not authorized"}}

    def deny(**_: object) -> None:
        raise ClientError(denied, "ListObjectsV2")

    client.meta.events.register("before-call.s3.ListObjectsV2", deny)
    monkeypatch.setattr(session, "client", lambda _: client)
    committed(lake, 1)
    with pytest.raises(KitError, match="ask the company whether your access changed"):
        profile_of(lake.table)


def test_the_columns_with_nulls_come_as_a_frame_the_most_often_null_first(lake: Lake) -> None:
    committed(lake, 1).profile(1)
    nulls = profile_of(lake.table).nulls()
    assert nulls.rows() == [("gate", "category", 9, 0.9), ("delay", "quantity", 2, 0.2)]


def test_associations_come_as_a_frame_in_the_documents_order(lake: Lake) -> None:
    committed(lake, 1).profile(1)
    pairs = profile_of(lake.table).associations()
    assert pairs.select("y", "effect", "p_adjusted").rows() == [("delay", 1.0, 0.03), ("gate", 1.0, None)]
    assert pairs["caveats"].to_list() == ["few rows", ""]


def test_a_table_without_rows_columns_or_pairs_has_empty_frames_of_the_same_columns(lake: Lake) -> None:
    committed(lake, 1).profile(1, rows=0, columns={}, associations=[])
    found = profile_of(lake.table)
    assert (found.nulls().shape, found.associations().shape) == ((0, 4), (0, 7))
