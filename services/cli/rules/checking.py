"""`rules check`: what is wrong with files of rules, before a platform takes them up."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, Loaded, load_rules
from services.alerts.ports import RuleSwitch
from services.alerts.settings import read_choices
from services.cli.beside import Json
from services.cli.declared import known_to_rules
from services.cli.output import show_json
from services.cli.refusals import FAILED
from services.declared_files import directories


def check_rules(
    files: Annotated[
        Path | None,
        typer.Argument(help="A bank's own directory, or a file, over the product's; COUNTERPOINT_ALERTS_CATALOGUE."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Report every mistake in rules and desk, with file, line and a suggestion. Exits with 1 if there is one."""
    with _directory(files) as directory:
        loaded = loaded_rules({}, directory)
    if as_json:
        show_json([one._asdict() for one in loaded.mistakes])
    else:
        tell_mistakes(loaded)
    if loaded.mistakes:
        raise typer.Exit(FAILED)
    if not as_json:
        typer.echo(f"{len(loaded.rule_set.rules)} rules, and nothing is wrong with them")


@contextmanager
def _directory(files: Path | None) -> Iterator[Path | None]:
    """Of a file alone, one that holds nothing else; a draft may have any name."""
    if files is None or not files.is_file():
        yield files
        return
    with TemporaryDirectory() as directory:
        shutil.copy(files, Path(directory) / files.with_suffix(".yaml").name)
        yield Path(directory)


def loaded_rules(switches: Mapping[str, RuleSwitch], directory: Path | None = None) -> Loaded:
    """The product's and the bank's. `directory` in place of the bank's own."""
    own = str(directory) if directory else read_choices(os.environ).catalogue
    return load_rules(directories(PRODUCT, own), known_to_rules(), Cel(), switches)


def tell_mistakes(loaded: Loaded) -> None:
    for mistake in loaded.mistakes:
        typer.echo(str(mistake), err=True)
