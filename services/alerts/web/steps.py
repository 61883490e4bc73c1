"""The steps of people on an alert. One that is not possible now is refused, with those that are; so is any on an alert
that is not as its reader has seen it, where he or she says what that was."""

import re
from typing import Any, NamedTuple

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from schemas.instants import millis
from schemas.money import parse_money
from services.alerts.domain.alert import Outcome
from services.alerts.domain.lifecycle import CHANGED, IllegalStep, StepRequest
from services.alerts.domain.rules import Language
from services.alerts.screens import told
from services.alerts.web.backend import Backend, Injected
from services.alerts.web.documents import AlertShown, Noted, OutcomeGiven, Plan, Reassign, Snooze, step_answers
from services.alerts.web.filters import Asking
from services.alerts.web.language import Reading, told_in
from services.alerts.web.showing import all_shown, tag_of
from services.failures import Rejected
from services.web.asgi import Problem
from services.web.conditional import IfMatch, Tagged, strong_tags
from services.web.guard import ROLE
from services.web.problems import answer

_STEP: dict[str, Any] = {
    "opt": {ROLE: "manager"}, "status_code": 200, "responses": step_answers(), "operation_class": Tagged,
}  # fmt: skip
_REVISION = re.compile(r'"(\d{1,18})-[^"]*"')
_Told = Response[AlertShown]


class Worker(NamedTuple):
    """Who takes a step, in which language he or she reads, and at which revisions of the alert it is to be taken."""

    request: Asking
    backend: Backend
    language: Language
    seen: frozenset[int] | None

    async def take(self, alert_id: str, asked: StepRequest) -> _Told:
        store = self.backend.store
        before = await store.alert(alert_id) if asked.action in ("claim", "reassign") else None
        alert = await self.backend.act.on(alert_id, asked._replace(seen=self.seen), self.request.user)
        screens = told(alert, *([before.owner, before.escalated_to] if before else ()))
        await self.backend.notifications.publish(screens)
        [now] = await all_shown(self.backend, [alert], self.language)
        return Response(now, headers={"ETag": tag_of(now, self.language), **told_in(self.language)})


def worker(request: Asking, backend: Injected, language: Reading, if_match: IfMatch = None) -> Worker:
    """Which language was read does not matter to a step."""
    tags = strong_tags(if_match)
    read = None if tags is None else [found for one in tags if (found := _REVISION.fullmatch(one))]
    return Worker(request, backend, language, None if read is None else frozenset(int(one[1]) for one in read))


Working = NamedDependency[Worker]


@post("/v1/alerts/{alert_id:str}/claim", **_STEP)
async def claim_alert(alert_id: FromPath[str], worker: Working, data: JSONBody[Noted | None] = None) -> _Told:
    """The alert is mine to work. Of two who claim at once, one gets 409 with the other's name; from then on that one
    may only reassign it, unless he or she works all portfolios or it was escalated to him or her."""
    return await worker.take(alert_id, StepRequest("claim", note=data.note if data else ""))


@post("/v1/alerts/{alert_id:str}/snooze", **_STEP)
async def snooze_alert(alert_id: FromPath[str], worker: Working, data: JSONBody[Snooze]) -> _Told:
    """Puts the alert off; it comes back by itself."""
    asked = StepRequest("snooze", note=data.note, until=millis(data.until))
    return await worker.take(alert_id, asked)


@post("/v1/alerts/{alert_id:str}/plan", **_STEP)
async def plan_contact(alert_id: FromPath[str], worker: Working, data: JSONBody[Plan]) -> _Told:
    """Plans a visit or a call."""
    return await worker.take(alert_id, StepRequest("plan", note=data.note, until=millis(data.at)))


@post("/v1/alerts/{alert_id:str}/contact", **_STEP)
async def note_contact(alert_id: FromPath[str], worker: Working, data: JSONBody[Noted | None] = None) -> _Told:
    """Notes that the customer was spoken to."""
    return await worker.take(alert_id, StepRequest("contact", note=data.note if data else ""))


@post("/v1/alerts/{alert_id:str}/outcome", **_STEP)
async def give_outcome(alert_id: FromPath[str], worker: Working, data: JSONBody[OutcomeGiven]) -> _Told:
    """Closes the alert. Its rules learn from the result."""
    return await worker.take(alert_id, StepRequest("outcome", note=data.note, outcome=_outcome(data)))


@post("/v1/alerts/{alert_id:str}/reassign", **_STEP)
async def reassign_alert(alert_id: FromPath[str], worker: Working, data: JSONBody[Reassign]) -> _Told:
    """Gives the alert to somebody else, with new time to answer."""
    return await worker.take(alert_id, StepRequest("reassign", note=data.note, to=data.to.strip()))


@post("/v1/alerts/{alert_id:str}/false-alarm", **_STEP)
async def mark_false_alarm(alert_id: FromPath[str], worker: Working, data: JSONBody[Noted | None] = None) -> _Told:
    """Closes the alert as not relevant, in one step."""
    return await worker.take(alert_id, StepRequest("false_alarm", note=data.note if data else ""))


def refused(request: Request[Any, Any, Any], illegal: IllegalStep) -> Response[bytes]:
    status = 412 if illegal.reason == CHANGED else 409
    return answer(Problem(status, illegal.message, reason=illegal.reason, field=illegal.field, state=illegal.state,
                          claimed_by=illegal.claimed_by or None, possible=illegal.possible))  # fmt: skip


def _outcome(given: OutcomeGiven) -> Outcome:
    minor, currency = 0, ""
    if given.amount is not None:
        try:
            minor, currency = parse_money(given.amount.value, given.amount.currency).minor, given.amount.currency
        except ValueError as error:
            raise Rejected("invalid_value", str(error), "amount") from None
    return Outcome(result=given.result, note=given.note, reason=given.reason, product=given.product,
                   amount_minor=minor, currency=currency)  # fmt: skip
