"""`causeway inference`: whether the account may have what the language model's endpoint needs."""

from dataclasses import asdict

import typer

from causeway.cli.output import Exit, Json, answer

inference = typer.Typer(help="The language model on accelerated machines.", no_args_is_help=True)


@inference.callback()
def _inference() -> None:
    """The language model on accelerated machines."""


@inference.command()
def check(as_json: Json = False) -> int:
    """Compare the account's quota with the instances that the settings' model needs, before it is deployed.

    Exits 1 if more have to be asked for, or the quota cannot be read.
    """
    from causeway.operate.account import session_of_company
    from causeway.operate.quotas import quota_for
    from causeway.settings import load_settings

    settings = load_settings()
    quota = quota_for(settings, session_of_company(settings))
    document = {**asdict(quota), "enough": quota.enough}
    answer(document, lambda: [quota.text(settings.company.region)], as_json)
    return Exit.FINE if quota.enough else Exit.ATTENTION
