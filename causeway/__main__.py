"""The command line: `causeway <command>`."""

import os
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from causeway.cli.check import check
from causeway.cli.costs import costs
from causeway.cli.doctor import doctor
from causeway.cli.estimate import estimate
from causeway.cli.explain import explain
from causeway.cli.hold import hold
from causeway.cli.infer import infer
from causeway.cli.inference import inference
from causeway.cli.land import land
from causeway.cli.ledger import ledger
from causeway.cli.ml import ml
from causeway.cli.output import Exit, printable
from causeway.cli.partner_kit import partner_kit
from causeway.cli.profile import profile
from causeway.cli.quarantine import quarantine
from causeway.cli.report import report
from causeway.cli.requeue import backfill, reconcile, replay
from causeway.cli.retire import retire
from causeway.cli.revoke import revoke
from causeway.cli.search import search
from causeway.cli.status import status
from causeway.cli.store import store
from causeway.cli.trace import trace
from causeway.contract.model import ContractError
from causeway.operate import explain as errors
from causeway.settings_environment import ENVIRONMENT
from causeway.settings_errors import SettingsError

PANELS: dict[str, list[Callable[..., Any]]] = {
    "A contract": [infer, check, profile, explain],
    "A deployment": [
        doctor,
        estimate,
        status,
        land,
        report,
        trace,
        quarantine,
        reconcile,
        backfill,
        replay,
        retire,
        search,
    ],
    "The partner": [partner_kit, hold, revoke],
}

app = typer.Typer(
    epilog="Exit status: 0 all is well, 1 something needs a person, 2 the command could not do its work, "
    "130 it was interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"causeway {version('causeway')}")
        raise typer.Exit


@app.callback()
def _causeway(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    environment: Annotated[
        str, typer.Option(envvar=ENVIRONMENT, help="Of settings.NAME.toml, over settings.toml.")
    ] = "",
) -> None:
    """Contracts in, a clean table out."""
    os.environ[ENVIRONMENT] = environment


for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(ledger, name="ledger", rich_help_panel="A deployment")
app.add_typer(store, name="store", rich_help_panel="A deployment")
app.add_typer(costs, name="costs", rich_help_panel="A deployment")
app.add_typer(inference, name="inference", rich_help_panel="A deployment")
app.add_typer(ml, name="ml", rich_help_panel="The partner")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns its exit status. Each failure is one line on stderr."""
    try:
        return int(app(arguments, prog_name="causeway", standalone_mode=False) or Exit.FINE)
    except BrokenPipeError:
        return Exit.FINE
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except typer.TyperException as error:
        reason = error.format_message().rstrip(".")  # none where the help was printed instead
        if not reason:
            return Exit.FAILED
        reason += "; causeway --help lists the commands, causeway COMMAND --help its options"
    except (ContractError, SettingsError, OSError, BotoCoreError, ClientError) as error:
        reason = errors.explain(error)
    except Exception:  # a mistake of ours, which must not look as if something needed a person
        traceback.print_exc()
        return Exit.FAILED
    print("causeway: " + "\n".join(map(printable, reason.splitlines())), file=sys.stderr)
    return Exit.FAILED


if __name__ == "__main__":
    sys.exit(main())
