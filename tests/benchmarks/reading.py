"""Views read over HTTP while nothing else happens: what reading alone carries. Under load: see `pipeline`."""

from tests.benchmarks.figures import Given, Report, percentile
from tests.benchmarks.instrumented import READ
from tests.benchmarks.platforms import embedded_platform, served_platform
from tests.benchmarks.usage import between, tell_usage, used


async def run(given: Given, report: Report) -> None:
    customers = given.customers
    async with embedded_platform() if given.embedded else served_platform() as platform:
        await platform.open_accounts(customers)
        before = used(platform.processes)
        order = platform.reading(kind="reads", customers=customers, seconds=given.seconds, connections=8, size=1)
        done = await platform.drive(order)
        usage = between(before, used(platform.processes))
    report.tell("views read over 8 connections", (done.requests - done.failed) / done.seconds, "views/s")
    report.tell("at the client, p99", done.p99_ms, "ms")
    report.tell("CPU of the generator", done.cpu_s / done.requests * 1e6, "us/view")
    times = [one.seconds * 1000 for one in platform.sampled if one.kind == READ]
    report.tell("in the service, p50", percentile(times, 0.5), "ms")
    report.tell("in the service, p99", percentile(times, 0.99), "ms", "10")
    tell_usage(report, usage, done.requests)
