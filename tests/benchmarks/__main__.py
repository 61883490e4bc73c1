"""python -m tests.benchmarks [name …]: the programs behind the project's figures. All of them, when none is named.

Short by default, to see that they work. Figures worth reporting: a quiet machine, and --full (60 s, 50,000 customers).
"""

import argparse
import asyncio
import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import uvloop

from tests.benchmarks.autogroup import autogroup_off
from tests.benchmarks.figures import Given, Report, machine

NAMES = (
    "codec", "log", "engine", "update", "refresh", "growth", "profile", "pipeline", "reading", "alerts", "due",
    "catalogue",
)  # fmt: skip
FULL_S, FULL_CUSTOMERS = 60.0, 50_000
Program = Callable[[Given, Report], Awaitable[None]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--seconds", type=float, help="how long each measurement takes; 10")
    parser.add_argument("--customers", type=int, help="5,000")
    parser.add_argument("--full", action="store_true", help=f"{FULL_S:.0f} s and {FULL_CUSTOMERS:,} customers")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="events/s of pipeline (0: all it takes), changes/s of alerts"
    )
    parser.add_argument("--batch", type=int, default=2_000, help="events of one transaction")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="engine: without Kafka Streams beside it")
    parser.add_argument("--embedded", action="store_true", help="one process on files instead of the servers")
    parser.add_argument("--log", default="", help="log: embedded:DIR or kafka://HOST:PORT instead of both of its own")
    parser.add_argument("--months", type=int, default=18, help="catalogue: how long each bank lives; 18")
    parser.add_argument("--seeds", type=int, nargs="+", default=[6], help="catalogue: which banks; 6")
    parser.add_argument(
        "--processes", type=int, default=2, help="catalogue: how many banks at once; due: how many sweep together; 2"
    )
    parser.add_argument(
        "--kept", type=Path, help="catalogue: keeps the banks lived through in this file; the next run goes on there"
    )
    parser.add_argument("--json", type=Path, help="append the figures to this file, a JSON object a line")
    given = parser.parse_args()
    unknown = set(given.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    seconds, customers = (FULL_S, FULL_CUSTOMERS) if given.full else (10.0, 5_000)
    chosen = Given(
        seconds=given.seconds or seconds, customers=given.customers or customers, rate=given.rate, batch=given.batch,
        peer=given.peer, embedded=given.embedded, log=given.log, months=given.months, seeds=tuple(given.seeds),
        processes=given.processes, kept=given.kept,
    )  # fmt: skip
    with autogroup_off() as autogroup:
        told = machine() | {"autogroup": autogroup}
        for name, value in told.items():
            print(f"{name:<10} {value}")
        if given.json:
            given.json.write_bytes(msgspec.json.encode({**told, "given": chosen}, enc_hook=str) + b"\n")
        for name in given.names or NAMES:
            run(name, chosen, given.json)


def run(name: str, given: Given, path: Path | None = None) -> None:
    program: Program = importlib.import_module(f"tests.benchmarks.{name}").run
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measured(program, given, Report(name, path)))


async def _measured(program: Program, given: Given, report: Report) -> None:
    await program(given, report)


if __name__ == "__main__":
    main()
