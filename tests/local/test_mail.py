"""The corpus of mail as files: nothing is lost on the way, and what is nobody's business stays out."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from causeway.contract.load import load_contract
from causeway.engine.local import run
from causeway.flow.datasets import CONTRACTS
from local.demo import mail
from local.demo.mail import mail_files, mail_rounds
from local.demo.story import File

FIELDS = ["id", "received", "subject", "body", "structure", "attachments", "label", "collection"]
Rows = list[dict[str, Any]]
RAW = b"""\
Received: from relay.example by mine.example; Mon, 16 Sep 2002 01:30:00 +0200
Received: from theirs.example by relay.example; Fri, 13 Sep 2002 10:00:00 +0000
Date: Thu, 1 Jan 2032 00:00:00 +0000
Subject: =?utf-8?q?caf=C3=A9?=
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

b25lAHR3bw==
--x
Content-Type: text/html; charset=no-such-charset

<p>three</p>
--x
Content-Type: image/png

four
--x--
"""


@pytest.fixture(scope="module")
def files() -> list[File]:
    return mail_files()


def rows(file: File) -> Rows:
    return [json.loads(line) for line in file.data.decode().split("\n")[:-1]]


def test_every_mail_is_there_once(files: list[File]) -> None:
    found = [row for file in files for row in rows(file)]
    assert len(found) == len({row["id"] for row in found}) == sum(file.rows or 0 for file in files) == 6046
    assert Counter(row["label"] for row in found) == {"ham": 4150, "spam": 1896}
    assert Counter(row["collection"] for row in found) == {"easy-ham": 3900, "hard-ham": 250, "spam": 1896}
    assert Counter(row["structure"] for row in found) == {"plain": 4650, "html": 892, "multipart": 504}


def test_a_file_is_a_month_and_in_order(files: list[File]) -> None:
    for file in files:
        times = [(row["received"], row["id"]) for row in rows(file)]
        assert times == sorted(times)
        assert {f"landing/mail/{time[:7]}.jsonl" for time, _ in times} == {file.key}


def test_another_run_writes_the_same_bytes_and_two_rounds_the_same_rows(files: list[File]) -> None:
    earlier, later = mail_rounds()
    assert b"".join(file.data for file in [*earlier, *later]) == b"".join(file.data for file in files)
    assert sum(file.rows or 0 for file in later) == 1654
    assert [earlier[-1].key, later[0].key] == [f"landing/mail/2002-09-{part}.jsonl" for part in "ab"]
    assert rows(earlier[-1])[-1]["received"] < "2002-09-16" < rows(later[0])[0]["received"]


def test_no_mail_says_by_whom_it_was_relayed(files: list[File]) -> None:
    assert {tuple(row) for file in files for row in rows(file)} == {tuple(FIELDS)}


def test_every_mail_keeps_its_contract(files: list[File], tmp_path: Path) -> None:
    paths = [tmp_path / file.key.replace("/", "-") for file in files]
    for path, file in zip(paths, files, strict=True):
        path.write_bytes(file.data)
    report, _ = run(load_contract(CONTRACTS / "mail.odcs.yaml"), paths)
    assert (report.totals["curated"], report.totals["quarantined"]) == (6046, 0)


def test_the_last_relay_says_when_and_parts_that_are_text_are_the_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hard-ham-1").mkdir()
    (tmp_path / "hard-ham-1" / "a.txt").write_bytes(RAW)
    monkeypatch.setattr(mail, "CORPUS", tmp_path)
    (row,) = mail.mails()
    assert row.pop("id")
    assert row == {
        "received": "2002-09-15T23:30:00Z",
        "subject": "café",
        "body": "onetwo\n<p>three</p>",
        "structure": "multipart",
        "attachments": 1,
        "label": "ham",
        "collection": "hard-ham",
    }


def test_a_sender_is_believed_only_where_no_relay_says_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spam-1").mkdir()
    path = tmp_path / "spam-1" / "a.txt"
    monkeypatch.setattr(mail, "CORPUS", tmp_path)
    path.write_bytes(b"Received: from x; soon\nDate: Mon, 1 Jul 2002 12:00:00 -0000\n\nBuy!\n")
    assert [row["received"] for row in mail.mails()] == ["2002-07-01T12:00:00Z"]
    path.write_bytes(b"Date: Thu, 1 Jan 2032 00:00:00 +0000\n\nBuy!\n")
    with pytest.raises(ValueError, match="without a time"):
        mail.mails()
