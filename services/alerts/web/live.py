"""The inbox as it changes: first as a whole, then each alert that changes."""

import hashlib
from collections.abc import AsyncIterator, Mapping

import msgspec
from litestar import get
from litestar.response import Stream

from services.alerts.domain.alert import Alert
from services.alerts.domain.rules import Language
from services.alerts.ports import OPEN, AlertFilter
from services.alerts.screens import INBOX, inbox_of
from services.alerts.web.backend import Backend, Injected
from services.alerts.web.documents import answers
from services.alerts.web.filters import Asking, Mine, Owner, portfolio_of, several
from services.alerts.web.language import Reading
from services.alerts.web.showing import all_shown
from services.web.live import EVENT_STREAM, Live, event, streamed

MOST_FOLLOWED = 200


@get("/v1/alerts/live", media_type=EVENT_STREAM, responses=answers())
async def follow_alerts(
    request: Asking, backend: Injected, language: Reading, owner: Owner = None, mine: Mine = False
) -> Stream:
    """First `inbox`: the open alerts, at most 200, greatest rank first. Then `alert` for each one that changes, until
    it has ended. `Last-Event-ID` names the revisions that the screen has; if they are still current, `inbox` is left
    out."""
    works = portfolio_of(request.user) if mine else None
    where = AlertFilter(owner=() if mine else several("owner", owner), works=works, state=(OPEN,))
    follow = Follow(backend, where, language, request.headers.get("last-event-id", ""))
    live = Live(backend.notifications, backend.access, topic_of(where), follow.look)
    return streamed(live.events(request.headers.get("authorization", ""), request.user))


def topic_of(where: AlertFilter) -> str:
    """Who follows several owners is told of everybody's alerts."""
    followed = [where.works] if where.works is not None else list(where.owner)
    return inbox_of(followed[0]) if len(followed) == 1 else INBOX


class Follow:
    """Keeps the revisions that the screen has: whatever it missed is found at the next look."""

    def __init__(self, backend: Backend, where: AlertFilter, language: Language, tag: str) -> None:
        self._backend, self._where, self._language, self._tag = backend, where, language, tag
        self._seen: dict[str, int] | None = None

    async def look(self) -> AsyncIterator[bytes]:
        found = await self._backend.store.find(self._where, None, MOST_FOLLOWED)
        now = {one.alert_id: one.revision for one in found}
        if self._seen is None:
            inbox = await self._encoded(found) if tag_of(now) != self._tag else None
            self._seen = now
            if inbox is not None:
                yield event("inbox", tag_of(now), inbox)
            return
        before = self._seen
        newer = [
            one for one in (*found, *await self._left(before.keys() - now.keys()))
            if one.revision > before.get(one.alert_id, 0)
        ]  # fmt: skip
        shown = await all_shown(self._backend, newer, self._language)  # only what can be told counts as seen
        self._seen = dict(before)
        for alert, told in zip(newer, shown, strict=True):
            self._note(alert, self._seen)
            yield event("alert", tag_of(self._seen), msgspec.json.encode(told))

    async def _left(self, alert_ids: set[str]) -> list[Alert]:
        """Alerts that ended, went to another owner, or are not among the greatest any more."""
        read = [await self._backend.store.alert(one) for one in sorted(alert_ids)]
        return [one for one in read if one is not None]

    def _note(self, alert: Alert, seen: dict[str, int]) -> None:
        where = self._where
        of_owner = not where.owner or alert.owner in where.owner
        if alert.is_open and of_owner and where.works in (None, alert.owner, alert.escalated_to):
            seen[alert.alert_id] = alert.revision
        else:
            seen.pop(alert.alert_id, None)

    async def _encoded(self, found: list[Alert]) -> bytes:
        return msgspec.json.encode({"alerts": await all_shown(self._backend, found, self._language)})


def tag_of(revisions: Mapping[str, int]) -> str:
    """One word for all revisions that a screen has."""
    told = "\n".join(f"{alert_id} {revision}" for alert_id, revision in sorted(revisions.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
