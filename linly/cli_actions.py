"""Verbs that have actions below them, such as `linly voice add`."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def actions(parser: argparse.ArgumentParser) -> Callable[[str, str], argparse.ArgumentParser]:
    """Gives a function that adds an action by name and help; --json and --debug may stand before or after it."""
    added = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help: str) -> argparse.ArgumentParser:
        made = added.add_parser(name, help=help, description=help)
        for flag in ("--json", "--debug"):
            made.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return made

    return action
