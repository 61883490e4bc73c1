"""The board in a window of any width: whatever stands there can be read, and what matters least goes first."""

import io

import pytest
from rich.console import Console

from services.cli.watch.board import board
from services.cli.watch.following import SeenAlert, SeenEvent, SeenView
from services.cli.watch.snapshot import Snapshot

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


def shown(width: int) -> str:
    file = io.StringIO()
    screen = Console(file=file, width=width)
    screen.print(board(SEEN, width))
    return file.getvalue()


@pytest.mark.parametrize("width", range(40, 161, 5))
def test_no_line_is_wider_than_the_window_and_no_word_of_worth_is_cut(width: int) -> None:
    told = shown(width)
    assert max(map(len, told.splitlines())) <= width
    for whole in ("Latest events", "11:06:40", "transaction.posted", ALERT, "Pays rent"):
        assert whole in told


def test_tables_that_have_no_room_side_by_side_stand_one_above_the_other_with_whole_ids() -> None:
    [wide] = [line for line in shown(100).splitlines() if "Latest events" in line]
    [narrow] = [line for line in shown(60).splitlines() if "Latest events" in line]
    assert ("Latest views" in wide, "Latest views" in narrow) == (True, False)
    assert CUSTOMER in shown(60)
    assert ("call_center" in shown(80), "call_center" in shown(60)) == (True, False)
