"""A group whose commands are imported when one of them is used: `--help` must not load a database driver."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from services.cli.refusals import FAILED, Refusal, sentence_of
from services.logging_setup import configure_logging


class Lazy(NamedTuple):
    """`place` is "module:name"; the name is a function or a `typer.Typer`."""

    place: str
    help: str


COMMANDS = {
    "run": Lazy("run.running:run", "Start the whole platform in one process."),
    "ingest": Lazy("run.running:ingest", "Start the service that accepts events."),
    "profile": Lazy("run.running:profile", "Start a worker that keeps the customer views."),
    "watch": Lazy("watch.watching:watch", "A live board: rates, lag, latest events and views, silent sources."),
    "doctor": Lazy("doctor.examining:doctor", "Check every dependency, and say what is wrong and what to do."),
    "customers": Lazy("customers.decisions:app", "Find and read customers; merge, split and erase them."),
    "replay": Lazy("replaying:app", "Send events from your own files."),
    "simulate": Lazy("simulating:simulate", "Send the events of a synthetic bank with planted stories."),
    "keys": Lazy("keys:app", "The keys that channel systems publish with."),
    "alerts": Lazy("alerts.inbox:app", "The inbox: customer situations that need action, and the steps taken."),
    "rules": Lazy("rules.commands:app", "The rules that raise alerts: list, check, explain, backtest, switch."),
    "sources": Lazy("sources:app", "The registered channel systems and their parameters."),
    "users": Lazy("users:app", "People who may read and decide, and their tokens."),
    "dead-letters": Lazy("dead_letters.letters:app", "Events that could not be used: inspect them, send them again."),
    "destinations": Lazy("alerts.destinations:app", "Where alerts go besides the inbox: webhooks, mail, group bots."),
    "deliveries": Lazy("alerts.deliveries:app", "Messages to destinations: inspect them, send undelivered ones again."),
    "positions": Lazy("positions:app", "How far the log has been processed; go back after a fail-over."),
    "rebuild": Lazy("rebuilding:rebuild_states", "Fold again every state that was folded by an older release."),
    "db": Lazy("schema:app", "Migrate and check the database schema."),
}


class OnDemandGroup(TyperGroup):
    """Errors that an operator can act upon leave it as one sentence and an exit code, without a traceback."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=lazy.help) for name, lazy in COMMANDS.items()}
        self._listing = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        return self.commands[cmd_name] if self._listing else _loaded(cmd_name, lazy)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def invoke(self, ctx: Any) -> Any:
        # what drivers say of themselves is not the one sentence; commands that stay set up logs of their own
        configure_logging("critical", "console")
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # `| head` has seen enough: typer ends it without a word
        except typer.BadParameter as wrong:
            wrong.message = wrong.message.removeprefix("Value error, ")  # says nothing to whoever typed the line
            raise
        except Exception as error:
            sentence = sentence_of(error)
            if sentence is None:
                raise
            typer.secho(f"error: {sentence}", err=True, fg=typer.colors.RED)
            raise typer.Exit(error.code if isinstance(error, Refusal) else FAILED) from None


def _loaded(name: str, lazy: Lazy) -> Any:
    module, _, attribute = lazy.place.partition(":")
    found = getattr(import_module(f"services.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    app = typer.Typer(add_completion=False)
    app.command(name)(found)
    return typer.main.get_command(app)
