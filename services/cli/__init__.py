"""The command line, and the only place where services meet: each command puts together what it needs."""

import io
import sys

from services.cli.refusals import INTERRUPTED


def main() -> None:
    """Ctrl-C ends it with one line, also while Python still loads what a command needs: for a second or two."""
    try:
        from services.cli.command_line import app

        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal that has no Chinese still shows all the rest
        app(prog_name="counterpoint")
    except KeyboardInterrupt:
        _end_interrupted()
    except SystemExit as end:
        if end.code != INTERRUPTED:
            raise
        _end_interrupted()  # typer has made this of a Ctrl-C, without a word


def _end_interrupted() -> None:
    print("interrupted", file=sys.stderr)
    sys.exit(INTERRUPTED)
