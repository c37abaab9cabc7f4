"""What can go wrong, each in one line that says what to do."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from botocore.exceptions import BotoCoreError, ClientError

# What to do, by the call that was refused and its code, or the error's name and words; the first that fits.
ADVICE = {
    "AssumeRole AccessDenied": "check the role, the external id and the source identity against programs.md, "
    "that your own role is one that it names, and that allow-causeway.json is attached to it",
    "Expired": "get new credentials and run it again",
    "Credential|Profile|SSO|Token|InvalidClient|InvalidAccessKey|Signature": "give it credentials of one of "
    "the roles that programs.md names, for example by AWS_PROFILE",
    "Throttl|TooMany|LimitExceeded|Slow": "AWS is busy; run it again in a minute",
    "Endpoint|Connect|Timeout|SSL|Proxy|NETWORK": "check the network, and the region against programs.md",
    "Validation|Region": "check the role, the external id and the region against programs.md",
    "AccessDenied|ACCESS_DENIED": "ask the company whether your access changed",
    "NoSuchKey|NotFound|not exist": "the snapshot was removed meanwhile: run it again on a newer one",
    "": "send this line to the company",
}

LISTED = 30  # names in a line


class KitError(Exception):
    """One line: what was found; what is allowed; what to do."""

    def __init__(self, *parts: object) -> None:
        super().__init__("; ".join(" ".join(str(part).split()).rstrip(".") for part in parts if part))


class NoTableError(KitError):
    """The role sees no such table: there is none, or it is not for the role."""


@contextmanager
def advised() -> Iterator[None]:
    """Gives whatever AWS refuses, or reading from S3 meets, as a KitError with advice."""
    try:
        yield
    except (ClientError, BotoCoreError, OSError) as error:
        kind = f"{type(error).__name__} {error}"
        if isinstance(error, ClientError):
            kind = f"{error.operation_name} {error.response['Error']['Code']}"
        advice = next(text for words, text in ADVICE.items() if re.search(words, kind))
        raise KitError(error, advice) from error


def nearest(name: str, names: Iterable[str]) -> str:
    """Which name was probably meant, and the names that there are, or some of them."""
    known = {known.lower(): known for known in names}
    near = [f"nearest: {known[match]}" for match in get_close_matches(name.lower(), known, n=1)]
    some = [*list(known.values())[:LISTED], *["…" for _ in [*known][LISTED:][:1]]]
    return ", ".join([*near, f"there are {', '.join(some)}"]) if known else ""
