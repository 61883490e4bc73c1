"""The program `counterpoint` as typer knows it."""

import typer

from services.cli.on_demand import OnDemandGroup

app = typer.Typer(
    cls=OnDemandGroup,
    name="counterpoint",
    help="Counterpoint: one live view of each customer of a bank. Start with `counterpoint run`.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def counterpoint() -> None:
    pass
