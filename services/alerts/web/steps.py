"""The steps of people on an alert. One that is not possible now is refused, with those that are."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath, JSONBody

from schemas.instants import millis
from schemas.money import parse_money
from services.alerts.domain.alert import Outcome
from services.alerts.domain.lifecycle import Asked, IllegalStep
from services.alerts.domain.rules import Language
from services.alerts.screens import told
from services.alerts.web.backend import Backend, Injected
from services.alerts.web.documents import AlertShown, Noted, OutcomeGiven, Plan, Reassign, Snooze, step_answers
from services.alerts.web.filters import Asking
from services.alerts.web.language import Reading
from services.alerts.web.showing import shown
from services.failures import Rejected
from services.web.asgi import Problem
from services.web.guard import ROLE
from services.web.problems import answer

_STEP: dict[str, Any] = {"opt": {ROLE: "manager"}, "status_code": 200, "responses": step_answers()}


@post("/v1/alerts/{alert_id:str}/claim", **_STEP)
async def claim_alert(
    request: Asking, alert_id: FromPath[str], backend: Injected, language: Reading, data: JSONBody[Noted | None] = None
) -> AlertShown:
    """The alert is mine to work. Of two who claim at once, one gets 409 with the other's name; from then on that one
    may only reassign it, unless he or she works all portfolios or it was escalated to him or her."""
    return await _done(request, backend, language, alert_id, Asked("claim", note=data.note if data else ""))


@post("/v1/alerts/{alert_id:str}/snooze", **_STEP)
async def snooze_alert(
    request: Asking, alert_id: FromPath[str], data: JSONBody[Snooze], backend: Injected, language: Reading
) -> AlertShown:
    """Puts the alert off; it comes back by itself."""
    asked = Asked("snooze", note=data.note, until=millis(data.until))
    return await _done(request, backend, language, alert_id, asked)


@post("/v1/alerts/{alert_id:str}/plan", **_STEP)
async def plan_contact(
    request: Asking, alert_id: FromPath[str], data: JSONBody[Plan], backend: Injected, language: Reading
) -> AlertShown:
    """Plans a visit or a call."""
    return await _done(request, backend, language, alert_id, Asked("plan", note=data.note, until=millis(data.at)))


@post("/v1/alerts/{alert_id:str}/contact", **_STEP)
async def note_contact(
    request: Asking, alert_id: FromPath[str], backend: Injected, language: Reading, data: JSONBody[Noted | None] = None
) -> AlertShown:
    """Notes that the customer was spoken to."""
    return await _done(request, backend, language, alert_id, Asked("contact", note=data.note if data else ""))


@post("/v1/alerts/{alert_id:str}/outcome", **_STEP)
async def give_outcome(
    request: Asking, alert_id: FromPath[str], data: JSONBody[OutcomeGiven], backend: Injected, language: Reading
) -> AlertShown:
    """Closes the alert. Its rules learn from the result."""
    return await _done(request, backend, language, alert_id, Asked("outcome", note=data.note, outcome=_outcome(data)))


@post("/v1/alerts/{alert_id:str}/reassign", **_STEP)
async def reassign_alert(
    request: Asking, alert_id: FromPath[str], data: JSONBody[Reassign], backend: Injected, language: Reading
) -> AlertShown:
    """Gives the alert to somebody else, with new time to answer."""
    return await _done(request, backend, language, alert_id, Asked("reassign", note=data.note, to=data.to.strip()))


@post("/v1/alerts/{alert_id:str}/false-alarm", **_STEP)
async def mark_false_alarm(
    request: Asking, alert_id: FromPath[str], backend: Injected, language: Reading, data: JSONBody[Noted | None] = None
) -> AlertShown:
    """Closes the alert as not relevant, in one step."""
    return await _done(request, backend, language, alert_id, Asked("false_alarm", note=data.note if data else ""))


async def _done(request: Asking, backend: Backend, language: Language, alert_id: str, asked: Asked) -> AlertShown:
    before = await backend.store.alert(alert_id) if asked.action in ("claim", "reassign") else None
    alert = await backend.act.on(alert_id, asked, request.user)
    await backend.notifications.publish(told(alert, *([before.owner, before.escalated_to] if before else ())))
    return shown(alert, language, backend.currency)


def refused(request: Request[Any, Any, Any], illegal: IllegalStep) -> Response[bytes]:
    return answer(Problem(409, illegal.message, reason=illegal.reason, field=illegal.field, state=illegal.state,
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
