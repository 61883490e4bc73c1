"""The board in a window of any width: whatever stands there can be read, and what matters least goes first."""

import io
from collections.abc import Sequence
from typing import Any, cast

import pytest
from rich.console import Console

from services.alerts.domain.alert import Alert
from services.alerts.ports import AlertStore
from services.cli.doctor.silence import Silence
from services.cli.rewinding import Backlog
from services.cli.watch.board import board
from services.cli.watch.following import Following, SeenAlert, SeenEvent, SeenView, seen_alert
from services.cli.watch.glance import Glance
from services.cli.watch.snapshot import Snapshot
from services.log import EventLog, Position

AT = 1_795_000_000_000
ALERT, CUSTOMER = "al_cf1a50b1d0040f3de6bd0315", "cus_242eoxrv5ftbsjfvcd65dqxpc4"
SEEN = Snapshot(
    accepted_rate=12.3, worked_rate=11.9, changes_rate=4.4, by_channel={"atm": 1.2}, backlogs=[], marks=12, workers=1,
    counts={"customers": 1234}, silences=[],
    events=[SeenEvent(AT, "transaction.posted", "call_center", "core", "account:80000002181")],
    views=[SeenView(AT, CUSTOMER, "person")],
    alerts=[SeenAlert(AT, ALERT, "Pays rent, saves, has no mortgage", 3, CUSTOMER, "M-SZ-NS-3-1", "contact_planned")],
    alerts_by_state={"routed": 12}, silent_rules=[], visible_ms=None, unheard=None,
)  # fmt: skip


def shown(width: int, seen: Snapshot = SEEN, rows: int = 8, *, in_colour: bool = False) -> str:
    file = io.StringIO()
    screen = Console(file=file, width=width, force_terminal=in_colour, color_system="standard" if in_colour else None)
    screen.print(board(seen, width, rows))
    return file.getvalue()


def told(**seen: Any) -> str:
    return shown(160, SEEN._replace(**seen))


def test_what_moves_is_told_by_the_second_and_what_waits_as_it_is() -> None:
    for line in (
        "accepted 12.3/s   worked 11.9/s   views 4.4/s ",
        "workers that refresh 1   to be refreshed 12   customers 1,234 ",
        "events a second by channel: atm 1.2 ",
        "alerts by state: 12 routed",
    ):
        assert line in shown(160)
    nothing = told(by_channel={}, alerts_by_state={})
    assert "events a second by channel: none yet" in nothing
    assert "alerts by state: none yet" in nothing


@pytest.mark.parametrize(
    ("visible_ms", "said"),
    [
        ((12.4, 99.6), "visible within 12 ms (99 %: 100 ms)"),
        ((9_999.0, 10_000.0), "visible within 9,999 ms (99 %: 10 s)"),
        ((60_000.0, float("inf")), "visible within 60 s (99 %: more than a minute)"),
    ],
)
def test_how_soon_events_are_visible_is_told_in_units_that_can_be_read(
    visible_ms: tuple[float, float], said: str
) -> None:
    assert said in told(visible_ms=visible_ms)
    assert "visible within" not in told()


def test_a_platform_that_tells_nothing_is_named_with_the_fix() -> None:
    said = "nobody answers at http://x: how soon events are visible is not known; it is asked again at every look"
    assert said in told(unheard="nobody answers at http://x")
    assert "is not known" not in told()


def test_a_partition_is_green_without_lag_yellow_with_some_and_red_where_it_cannot_go_on() -> None:
    found = [
        Backlog("events", "t", partition, Position("t", reached), 10, 2_000)
        for partition, reached in enumerate((2_000, 766, 5))
    ]
    line = shown(160, SEEN._replace(backlogs=found), in_colour=True)
    assert (
        "lag by partition \x1b[32m 0:0\x1b[0m\x1b[33m 1:1,234\x1b[0m\x1b[31m 2:?\x1b[0m\x1b[31m (no longer kept)"
        in line
    )


def test_sources_are_told_by_what_is_wrong_with_them() -> None:
    hour = 3_600_000
    fine, unheard = Silence("core", 5, hour, is_heard=True), Silence("atm", 5, hour, is_heard=False)
    for silences, said in (
        ([], "no sources are registered: `counterpoint sources set` does so"),
        ([fine], "sources heard of within their rhythm: 1"),
        ([fine, fine, unheard], "sources heard of within their rhythm: 2, 1 not heard of yet"),
        ([fine, Silence("pos", 2 * hour, hour, is_heard=True), Silence("web", 9 * hour // 2, hour, is_heard=False)],
         "silent beyond their rhythm: pos (2.0 h), web (4.5 h, never heard)"),
    ):  # fmt: skip
        lines = told(silences=silences).splitlines()
        assert said in [line.rstrip() for line in lines]


@pytest.mark.parametrize(("width", "rows", "lines"), [(120, 8, 8), (60, 8, 4), (60, 1, 1)])
def test_one_above_the_other_there_is_room_for_half_as_many_but_for_one_at_least(
    width: int, rows: int, lines: int
) -> None:
    said = shown(width, SEEN._replace(events=list(SEEN.events) * 12, views=list(SEEN.views) * 12), rows)
    assert (said.count("transaction.posted"), said.count("person")) == (lines, lines)


class Store:
    """Of an inbox: what is asked of it."""

    def __init__(self, *open_alerts: Alert, takes: float = 0.0) -> None:
        self.counted, self.now, self._takes, self._open = 0, 0.0, takes, open_alerts

    def clock(self) -> float:
        return self.now

    async def find(self, *_: object) -> list[Alert]:
        return list(self._open)

    async def count(self) -> dict[str, int]:
        self.counted, self.now = self.counted + 1, self.now + self._takes
        return {"new": self.counted}


def greatest(name: str) -> Alert:
    return Alert(alert_id=name, customer_id="c", situation="leaving", kind="retention", opened_at=AT)


async def test_what_was_heard_of_stands_first_the_newest_above_and_nothing_stands_twice() -> None:
    following = Following(cast(EventLog, None))
    following.alerts.extend(seen_alert(greatest(name)) for name in ("al_2", "al_9"))
    glance = Glance(cast(AlertStore, Store(*map(greatest, ("al_1", "al_2", "al_3", "al_4", "al_5")))), following)
    assert [one.alert_id for one in await glance.alerts()] == ["al_9", "al_2", "al_1", "al_3", "al_4"]


async def test_alerts_are_counted_anew_when_one_has_moved_and_else_now_and_then() -> None:
    looks = ((100.0, 0), (114.9, 0), (115.0, 0), (116.0, 1), (117.0, 1), (130.9, 1), (131.0, 1))
    assert await counts_at(looks, Store()) == [1, 1, 2, 3, 3, 3, 4]


async def test_where_counting_takes_long_it_rests_for_longer_however_many_alerts_move() -> None:
    looks = ((100.0, 0), (110.0, 1), (149.0, 2), (150.0, 3), (165.0, 3), (199.9, 3), (200.0, 3))
    assert await counts_at(looks, Store(takes=1.0)) == [1, 1, 1, 2, 2, 2, 3]


async def counts_at(looks: Sequence[tuple[float, int]], store: Store) -> list[int]:
    """`looks`: when, and how many steps of alerts were heard of by then."""
    following = Following(cast(EventLog, None))
    glance, counts = Glance(cast(AlertStore, store), following, store.clock), []
    for store.now, following.alert_steps in looks:
        counts.append((await glance.by_state())["new"])
    return counts


@pytest.mark.parametrize("width", range(40, 161, 5))
def test_no_line_is_wider_than_the_window_and_no_word_of_worth_is_cut(width: int) -> None:
    page = shown(width)
    assert max(map(len, page.splitlines())) <= width
    for whole in ("Latest events", "11:06:40", "transaction.posted", ALERT, "Pays rent"):
        assert whole in page


def test_tables_that_have_no_room_side_by_side_stand_one_above_the_other_with_whole_ids() -> None:
    [wide] = [line for line in shown(100).splitlines() if "Latest events" in line]
    [narrow] = [line for line in shown(60).splitlines() if "Latest events" in line]
    assert ("Latest views" in wide, "Latest views" in narrow) == (True, False)
    assert CUSTOMER in shown(60)
    assert ("call_center" in shown(80), "call_center" in shown(60)) == (True, False)
