"""An outage is told once for each reason that it has, and its end once."""

from structlog.testing import capture_logs

from services.failures import Unavailable
from services.outage import Outage

LOST, REFUSED = Unavailable("no broker can be reached"), Unavailable("the broker refuses this process")


def test_another_reason_of_the_same_outage_is_told_and_one_that_comes_again_is_not() -> None:
    outage = Outage("partition", topic="t")
    with capture_logs() as told:
        for away in (LOST, LOST, REFUSED, LOST, REFUSED):
            outage.waits(away)
        outage.goes_on()
        outage.goes_on()
        outage.waits(LOST)
    assert [(one["event"], one.get("what"), one["topic"]) for one in told] == [
        ("partition waits", str(LOST), "t"), ("partition waits", str(REFUSED), "t"),
        ("partition goes on", None, "t"), ("partition waits", str(LOST), "t"),
    ]  # fmt: skip
