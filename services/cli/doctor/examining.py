"""`doctor`: checks every dependency, and says in words what is wrong and what to do."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

from services.cli.beside import Data, Json
from services.cli.doctor.diagnosis import examine
from services.cli.doctor.findings import Finding
from services.cli.output import console, show_json, written
from services.cli.refusals import FAILED

_SIGNS = {"ok": "[green]ok[/]", "warning": "[yellow]look[/]", "wrong": "[red]WRONG[/]"}


def doctor(
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait to see whether positions move.")] = 2.0,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check every dependency, and say what is wrong and what to do. Exit code 1 if something is wrong."""
    findings = asyncio.run(_all(data, patience, lambda finding: None if as_json else _show(finding)))
    if as_json:
        show_json([finding._asdict() for finding in findings])
    wrong = sum(finding.state == "wrong" for finding in findings)
    if wrong:
        raise typer.Exit(FAILED)
    if not as_json:
        typer.echo("nothing is wrong")


async def _all(data: Data, patience: float, show: Callable[[Finding], None]) -> list[Finding]:
    """Each is shown at once: some take their time."""
    findings = []
    async for finding in examine(data, patience):
        show(finding)
        findings.append(finding)
    return findings


def _show(finding: Finding) -> None:
    console().print(
        f"{_SIGNS[finding.state]:>16}  [bold]{finding.what}[/]: {written(finding.told)}",
        highlight=False,
        soft_wrap=True,
    )
