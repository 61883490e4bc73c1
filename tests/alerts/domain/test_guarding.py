"""What holds the alerts of one customer back, and what finds room among them first."""

from typing import Any

from services.alerts.domain.alert import Alert
from services.alerts.domain.guarding import hold_back
from tests.alerts.told import NOON


def alert(name: str, kind: str = "retention", state: str = "new", rank: float = 1.0, **given: Any) -> Alert:
    fixed: dict[str, Any] = {"kind": kind, "state": state, "rank": rank, "opened_at": NOON, **given}
    return Alert(alert_id=name, customer_id="c1", situation=name, **fixed)


def held(budget: int, *alerts: Alert) -> dict[str, tuple[str, str]]:
    hold_back(alerts, [], budget, NOON)
    return {one.alert_id: (one.state, one.waiting) for one in alerts}


def test_a_customer_is_spoken_to_about_so_many_things_and_the_greatest_find_room_first() -> None:
    found = held(2, alert("a", state="claimed"), alert("b", rank=1.0), alert("c", rank=5.0), alert("d", rank=3.0))
    assert found == {"a": ("claimed", ""), "b": ("new", "budget"), "c": ("new", ""), "d": ("new", "budget")}


def test_sales_that_retention_pulls_back_leave_it_their_room_at_once() -> None:
    found = held(1, alert("sale", "upsell", "routed"), alert("leaving"))
    assert found == {"sale": ("new", "retention_first"), "leaving": ("new", "")}


def test_a_sale_in_somebodys_hands_keeps_no_retention_case_waiting() -> None:
    assert held(1, alert("sale", "upsell", "claimed"), alert("leaving"))["leaving"] == ("new", "")
    assert held(1, alert("sale", "upsell", "claimed"), alert("another", "upsell"))["another"] == ("new", "budget")


def test_what_waits_for_the_budget_goes_on_when_there_is_room() -> None:
    waits = alert("b", waiting="budget")
    assert held(2, alert("a", state="claimed"), waits)["b"] == ("new", "")
    assert waits.history[-1].action == "release"


def test_room_in_the_budget_does_not_release_what_waits_for_its_owners_day() -> None:
    waits = alert("a", waiting="capacity")
    assert held(2, waits)["a"] == ("new", "capacity")
    assert waits.history == []
