"""A service process that also keeps exact times: python -m tests.benchmarks.instrumented FILE profile | run ARGUMENTS…

The product's histograms have buckets, a percentile wants every value. FILE gets them when the process ends.
"""

import importlib
import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from services import deployment
from services.metrics import ACCEPTED_TO_VISIBLE, URGENT_TO_CHANGED, HistogramMetric, Metrics
from services.web.asgi import App, Receive, Scope, Send

VISIBLE, READ, URGENT = 0.0, 1.0, 2.0
_KINDS = {ACCEPTED_TO_VISIBLE: VISIBLE, URGENT_TO_CHANGED: URGENT}
PROFILE, PLATFORM = "services.profile.__main__", "services.cli.run.platform"
VIEW = "/v1/customers"


class Sample(NamedTuple):
    """`at`: seconds since 1970 when it was over."""

    kind: float
    at: float
    seconds: float


class Samples:
    def __init__(self) -> None:
        self._values = array("d")

    def add(self, kind: float, seconds: float) -> None:
        self._values.extend((kind, time.time(), seconds))

    def write(self, path: Path) -> None:
        path.write_bytes(self._values.tobytes())


def read_samples(path: Path) -> list[Sample]:
    values = array("d", path.read_bytes())
    return [Sample(*values[place : place + 3]) for place in range(0, len(values), 3)]


def instrument(samples: Samples, root: Any) -> None:
    """Puts measuring ones in the place of what composition roots use: they stay as they are."""

    class SampledMetrics(Metrics):
        def observe(self, metric: HistogramMetric, value: float, *labels: str) -> None:
            if metric in _KINDS:
                samples.add(_KINDS[metric], value)
            super().observe(metric, value, *labels)

    deployment.Metrics, root.mounted = SampledMetrics, _timing(root.mounted, samples)  # type: ignore[attr-defined]  # the point


def _timing(mounted: Any, samples: Samples) -> Any:
    def timed_mount(*apps: Any) -> App:
        inner: App = mounted(*apps)

        async def timed(scope: Scope, receive: Receive, send: Send) -> None:
            began = time.perf_counter()
            await inner(scope, receive, send)
            if scope["type"] == "http" and scope["path"].startswith(VIEW):
                samples.add(READ, time.perf_counter() - began)

        return timed

    return timed_mount


def main(arguments: Sequence[str]) -> None:
    samples = Samples()
    root: Any = importlib.import_module(PROFILE if arguments[1] == "profile" else PLATFORM)
    instrument(samples, root)
    try:
        sys.argv = ["counterpoint", *arguments[1:]]
        importlib.import_module("services.cli").main()
    finally:
        samples.write(Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
