"""What the demo says of the profiles, and the pages it writes of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from causeway.cli.output import show, table
from causeway.contract.model import RESCUED
from causeway.pages.profile import profile_page
from causeway.pages.wording import by

SHOWN = 3


def show_profiles(profiles: Mapping[str, Mapping[str, Any]], build: Path) -> None:
    """Print the strongest associations and the columns with most nulls; write a page for each dataset.

    `profiles` are the kit's answers.
    """
    pairs = [row for name, profile in profiles.items() for row in _strongest(name, profile["profile"])]
    show("\nWhich columns go together (of every dataset the three strongest pairs)")
    show(table(("dataset", "between", "and", "effect", "by", "careful"), pairs))
    nulls = [row for name, profile in profiles.items() for row in _emptiest(name, profile["profile"])]
    show("\nWhich columns are empty most often", table(("dataset", "column", "nulls"), nulls))
    pages = []
    for name, profile in profiles.items():
        pages.append(build / f"profile-{name}.html")
        pages[-1].write_text(profile_page(profile["profile"]))
    show(f"\nAll of it, a page each: {', '.join(page.name for page in pages)} in {build}")


def _strongest(name: str, profile: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for pair in profile["associations"][:SHOWN]:
        effect = f"{pair['effect']:.3f}"
        yield (name, pair["x"], pair["y"], effect, by(pair), "; ".join(pair["caveats"]))


def _emptiest(name: str, profile: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    given = {column: facts for column, facts in profile["columns"].items() if column != RESCUED}
    for column, facts in sorted(given.items(), key=lambda item: -item[1]["nulls"])[:SHOWN]:
        if facts["nulls"]:
            yield (name, column, f"{facts['null_share']:.1%}")
