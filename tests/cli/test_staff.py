"""Who works at the bank, as its events and its roster tell."""

from typing import Any

from services.cli.run.alerting import staff_told
from services.profile.domain.value.policy import RosterEntry


def test_managers_are_those_of_events_customers_and_roster_without_those_who_left() -> None:
    told: dict[str, dict[str, Any]] = {
        "M-1": {"status": "left", "successor_id": "M-2"},
        "M-3": {"delegate_id": "M-4", "from": 1, "until": 9},
    }
    staff = staff_told([RosterEntry("M-5", branches=("BJ-1",))], told, ["M-1", "M-6"])
    assert staff.managers == {"M-2", "M-3", "M-4", "M-5", "M-6"}
    assert staff.branches == {"BJ-1"}
    assert staff.left == {"M-1"}
