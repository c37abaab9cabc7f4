"""`causeway infer`: drafts a contract from sample files, for a person to read and mend."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from causeway.engine.infer import draft


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("infer", help="draft a contract from sample files")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--name", help="the dataset; by default the first file's name")
    parser.set_defaults(run=infer)


def infer(options: argparse.Namespace) -> int:
    print(draft(options.files, options.name), end="")
    return 0
