"""What a team leader looks at: how the work of his or her people stands, and what came of it in a month."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import QueryParameter

from schemas.events import Money
from schemas.instants import instant
from schemas.money import format_money
from services.access import User
from services.alerts.domain.team import BEGUN, PLANNED, Member, members, month, team_of
from services.alerts.web.backend import Backend, Injected
from services.alerts.web.documents import Amount, answers
from services.alerts.web.filters import Asking, Owner, several
from services.web.asgi import Problem
from services.web.guard import ROLE

MANAGER: dict[str, Any] = {ROLE: "manager"}
InMonth = Annotated[
    str | None, QueryParameter(name="month", description="Such as 2026-11; the present one if not said")
]


class TeamMember(msgspec.Struct, kw_only=True):
    """`owner`: null for all together. Of what is `open`: `overdue` is past its time, `waiting` is not with anybody yet,
    `unclaimed` has nobody taken up, `in_hand` is claimed or contacted, `planned` is planned or put off. The rest is of
    the month: what was closed, by result; `relevant`, the share of it that was not `not_relevant`, 0 to 1; `amounts`,
    what was sold."""

    owner: str | None
    open: int
    overdue: int
    waiting: int
    unclaimed: int
    in_hand: int
    planned: int
    saved: int
    lost: int
    sold: int
    not_relevant: int
    unreachable: int
    relevant: float | None
    amounts: list[Amount]


class Team(msgspec.Struct, kw_only=True):
    """`since` and `until`: the month by the clocks of the bank. `members`: by owner."""

    month: str
    since: str
    until: str
    members: list[TeamMember]
    together: TeamMember


@get("/v1/team", opt=MANAGER, responses=answers())
async def show_team(request: Asking, backend: Injected, owner: Owner = None, in_month: InMonth = None) -> Team:
    """What is open with each manager and queue now, and what came of what they closed in a month: of whoever asks and
    of all who report to him or her (`superiors` of the desk), or of the owners named. A token without a portfolio of
    its own sees everybody."""
    now, zone = backend.clock.now_ms(), backend.current.terms.desk.hours.zone
    first = _first_of(in_month, now + backend.current.terms.offset_ms(now))
    since, until = month(first, zone)
    named = several("owner", owner) or _team_of(request.user, backend)
    loads, closed = await backend.store.loads(named, now), await backend.store.closed(named, since, until)
    *each, together = members(named, loads, closed)
    return Team(
        month=first.strftime("%Y-%m"), since=instant(since), until=instant(until),
        members=[_member(one) for one in each], together=_member(together),
    )  # fmt: skip


def _team_of(user: User, backend: Backend) -> tuple[str, ...]:
    """Empty for everybody."""
    return () if user.manager_id is None else team_of(user.manager_id, backend.current.terms.desk.superiors)


def _first_of(in_month: str | None, local: int) -> datetime:
    if in_month is None:
        return datetime.fromtimestamp(local / 1000, UTC)
    try:
        return datetime.strptime(in_month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise Problem(400, "month: a month such as 2026-11 is expected", field="month") from None


def _member(one: Member) -> TeamMember:
    relevant = one.relevant
    return TeamMember(
        owner=one.owner or None, open=one.open(), overdue=one.overdue, waiting=one.open(["new"]),
        unclaimed=one.open(["routed"]), in_hand=one.open(BEGUN), planned=one.open(PLANNED),
        saved=one.ended("saved"), lost=one.ended("lost"), sold=one.ended("sold"),
        not_relevant=one.ended("not_relevant"), unreachable=one.ended("unreachable"),
        relevant=None if relevant is None else round(relevant, 4),
        amounts=[Amount(**format_money(Money(minor, currency))) for currency, minor in one.amounts.items()],
    )  # fmt: skip
