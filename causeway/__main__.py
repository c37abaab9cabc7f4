"""The command line: `python -m causeway <command>`."""

from __future__ import annotations

import argparse
import importlib
import sys

from botocore.exceptions import BotoCoreError, ClientError

from causeway.contract.model import ContractError
from causeway.settings import SettingsError

COMMANDS = ["check", "infer", "ledger", "partner_kit", "quarantine", "requeue", "revoke", "status"]
USAGE, INTERRUPTED = 2, 130


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="causeway", description="Contracts in, a clean table out.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"causeway.cli.{name}").add_parser(subparsers)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ContractError, SettingsError, OSError, BotoCoreError, ClientError) as error:
        print(f"causeway: {error}", file=sys.stderr)
        return USAGE


if __name__ == "__main__":
    sys.exit(main())
