"""`run`, `ingest`, `profile`: the commands that stay."""

import asyncio
import os
import shlex
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.catalogue import load_catalogue
from services.cli.beside import Port, environment_of, settings_of
from services.cli.output import at
from services.cli.refusals import Misuse
from services.cli.run.credentials import Credentials, credentials, write_private
from services.cli.run.demo import Demo
from services.cli.run.demo_sources import demo_keys, demo_publisher
from services.cli.run.platform import Platform, running_platform
from services.cli.run.rules_asked import hearing_rules
from services.cli.set_back import refuse_if_set_back, while_it_stays
from services.clock import ClockKind, SystemClock
from services.deployment import forever, listen
from services.ingest.__main__ import run as run_ingest
from services.logging_setup import configure_logging
from services.profile.__main__ import run as run_profile
from services.profile.app import Profile
from services.profile.settings import STEPS
from services.settings import Settings
from services.sql.database import Database

SHOWN_CUSTOMER = "10000001"
"""In a synthetic bank of any size."""
Directory = Annotated[Path | None, typer.Option(help="Directory of all files; COUNTERPOINT_DATA.")]


def run(
    data: Directory = None,
    port: Port = None,
    simulator: Annotated[
        bool, typer.Option(help="Run a synthetic bank and keep its channels sending; not with --clock event.")
    ] = True,
    customers: Annotated[int, typer.Option(min=10, help="Customers of the synthetic bank.")] = 300,
    months: Annotated[int, typer.Option(min=1, max=24, help="Months of past events to send.")] = 6,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bank.")] = 1,
    clock: Annotated[
        ClockKind | None, typer.Option(help="event: live through a past by the time of its events; COUNTERPOINT_CLOCK.")
    ] = None,
    credentials_file: Annotated[
        Path | None, typer.Option(help="Write the address, key and tokens here once serving.")
    ] = None,
) -> None:
    """Start the whole platform in one process: nothing to install, nothing to configure. Ctrl-C stops it."""
    settings = settings_of(data, port, clock)
    configure_logging(settings.log_level or "warning", settings.log_format or "console")
    has_demo = simulator and settings.clock == "system"  # a demo lives in the present
    demo = (lambda: _demo(settings, customers, months, seed)) if has_demo else (lambda: None)
    forever(lambda: _run(settings, demo, credentials_file))


def ingest(data: Directory = None, port: Port = None) -> None:
    """Start the service that accepts events, as one of several processes on Kafka and PostgreSQL."""
    forever(lambda: run_ingest(environment_of(data, port)))


def profile(
    data: Directory = None,
    port: Port = None,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(STEPS)}; again for more; COUNTERPOINT_PROFILE_STEPS.")
    ] = None,
) -> None:
    """Start a worker that keeps the customer views and serves reads; start as many as you need."""
    if unknown := set(only or ()) - set(STEPS):
        raise Misuse(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(STEPS)}")
    steps = {"COUNTERPOINT_PROFILE_STEPS": ",".join(only)} if only else {}
    environment = {**environment_of(data, port), **steps}

    async def beside(opened: Profile, database: Database) -> Callable[[], Awaitable[None]]:
        await refuse_if_set_back(opened.worker.log, database)
        work = await hearing_rules(opened, database, environment)
        return lambda: while_it_stays(work, database)

    forever(lambda: run_profile(environment, beside))


def _demo(settings: Settings, customers: int, months: int, seed: int) -> Demo:
    path = Path(settings.data) / "simulator.state"
    return Demo(path, SystemClock(), size=customers, seed=seed, months=months)


async def _run(settings: Settings, make_demo: Callable[[], Demo | None], credentials_file: Path | None) -> None:
    started, console = time.monotonic(), Console()
    async with running_platform(settings, os.environ, credentials_file) as platform:
        stop = asyncio.create_task(listen().wait())
        path = Path(settings.data) / "credentials.json"
        now_ms = SystemClock().now_ms()
        known = await credentials(path, platform.base_url, platform.stores, platform.users, now_ms)
        if credentials_file is not None:
            write_private(credentials_file, msgspec.json.encode(known))
        console.print(_welcome(known, credentials_file or path, time.monotonic() - started))
        if settings.clock == "event":
            console.print(_where_it_stands(platform.clock.now_ms()))
        demo = make_demo()
        console.print(_next_steps(known, path, demo is not None), soft_wrap=True, highlight=False)
        await _until_stopped(stop, platform, demo, path.with_name("simulator.keys"), console)
        console.print("Stopping: the batch in hand is finished first.")
    console.print("Stopped. Start again to go on where it was.")


async def _until_stopped(
    stop: asyncio.Task[Any], platform: Platform, demo: Demo | None, keys: Path, console: Console
) -> None:
    """Until a signal; raises when a part of the platform has died."""
    tasks: list[asyncio.Future[Any]] = [stop, platform.work]
    if demo is not None:
        tasks.append(asyncio.create_task(_live(demo, platform, keys, console)))
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in (tasks[0], *tasks[2:]):
        task.cancel()
    await asyncio.gather(tasks[0], *tasks[2:], return_exceptions=True)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()


async def _live(demo: Demo, platform: Platform, keys: Path, console: Console) -> None:
    days, now_ms = demo.days, SystemClock().now_ms()
    by_channel = await demo_keys(keys, platform.stores, load_catalogue(), now_ms)
    progress = Progress(
        TextColumn("Sending the past of {task.fields[size]} customers"), BarColumn(),
        TextColumn("{task.completed}/{task.total} days"), TimeRemainingColumn(), console=console, disable=days < 2,
    )  # fmt: skip
    task = progress.add_task("past", total=days, size=demo.size)
    async with demo_publisher(platform.base_url, by_channel) as publish:
        with progress:
            await demo.send_past(publish, lambda left: progress.update(task, completed=days - left))
        if days > 1:
            console.print("The past is sent. Views and alerts are complete when `watch` shows no lag, a minute later.")
        await demo.live(publish)


def _welcome(known: Credentials, path: Path, seconds: float) -> Panel:
    return Panel.fit(
        f"Counterpoint is up after {seconds:.1f} s at [bold]{known.base_url}[/]\n\n"
        f"ingest key     {known.ingest_key}\n"
        f"agent token    {known.agent_token}\n"
        f"manager token  {known.manager_token}\n"
        f"admin token    {known.admin_token}\n\n"
        f"The interface  {known.base_url}/v1/openapi.json\n"
        f"They are stored in {path}, readable by you only.",
        title="Counterpoint",
    )


def _where_it_stands(now_ms: int) -> str:
    stands = f"it is {at(now_ms)}" if now_ms else "it begins with the first event"
    return f"The clock follows the time of the events: {stands}, and moves with what you send, in its order."


def _next_steps(known: Credentials, path: Path, has_demo: bool) -> str:
    """Lines to be copied: outside the panel, whose frame would break them. What started this is not on every PATH."""
    by_module = sys.argv[0].endswith("__main__.py")
    program = f"{shlex.quote(sys.executable)} -m services.cli" if by_module else shlex.quote(sys.argv[0])
    data = shlex.quote(str(path.parent))
    steps = {
        "Watch it live": f"{program} watch --data {data}",
        "The inbox": f"{program} alerts list --data {data}",
        "For a shell": f". {shlex.quote(str(path.absolute().with_suffix('.env')))}  # BASE_URL, keys and tokens",
    }
    if has_demo:
        steps["A customer"] = f"{program} customers show customer_no={SHOWN_CUSTOMER} --data {data}"
        asked = f"{known.base_url}/v1/customers?customer_no={SHOWN_CUSTOMER}"
        steps["Over HTTP"] = f"curl -H 'Authorization: Bearer {known.agent_token}' '{asked}'"
    return "\n".join(f"{name + ':':15} {command}" for name, command in steps.items())
