"""The program `counterpoint` as typer knows it."""

from typing import Annotated

import typer

from services.cli.on_demand import OnDemandGroup
from services.release import release

app = typer.Typer(
    cls=OnDemandGroup,
    name="counterpoint",
    help="Counterpoint: one live view of each customer of a bank. Start with `counterpoint run`.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"counterpoint {release()}")
        raise typer.Exit


@app.callback()
def counterpoint(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass
