"""A service as a process of its own: started, waited for, stopped in order."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_S, STOP_S = 120.0, 60.0


class Child:
    """`command`: what follows `python -m`. `nice`: how far it gives way to the others."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path, nice: int = 0) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["nice", "-n", str(nice), sys.executable, "-m", *command], env={**os.environ, **environment}, cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    async def serves(self, url: str) -> None:
        deadline = time.monotonic() + START_S
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"{url}/health/live")).is_success:
                        return
                except httpx.TransportError:
                    pass
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"it does not serve: {self._log.read_text(errors='replace')[-2000:]}")
                await asyncio.sleep(0.1)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
