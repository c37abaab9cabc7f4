"""How commands say that nobody hears."""

from collections.abc import Iterator, Mapping
from typing import Any

from causeway.cli.output import printable


def lines(alerts: Mapping[str, Any], section: str) -> Iterator[str]:
    """A line for each reason why somebody does not hear; addresses are of that section of the settings."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for of, subscriptions in alerts.items():
        confirmed, unconfirmed = subscriptions["confirmed"], subscriptions["unconfirmed"]
        if confirmed and not unconfirmed:
            continue
        reason = f"write emails under [{section}] in settings.toml, then make deploy"
        if unconfirmed:
            reason = f"not confirmed by the link in SNS's mail: {', '.join(map(printable, unconfirmed))}"
        reasons.setdefault(("some do not hear" if confirmed else "nobody hears", reason), []).append(of)
    yield from (f"{who} of {' and '.join(of)}: {reason}" for (who, reason), of in reasons.items())
