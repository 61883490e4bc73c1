"""The rules over HTTP: what they are, how often they were right, and why each holds or does not hold for a customer."""

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from schemas.instants import instant
from services.alerts.domain.compiled import Rule
from services.alerts.domain.explaining import Explained, Remembered, explain
from services.alerts.domain.rules import Language
from services.alerts.domain.standing import Standing
from services.alerts.domain.wording import said
from services.alerts.ports import MAX_WHY, OPEN, AlertFilter, RuleSwitch
from services.alerts.web.backend import Backend, Injected
from services.alerts.web.documents import answers
from services.alerts.web.filters import Asking
from services.alerts.web.language import Reading, told_in
from services.alerts.web.rule_documents import (
    ConditionPart,
    MomentJudged,
    RuleExplained,
    RuleList,
    RuleShown,
    RulesOfCustomer,
    Switch,
    Switched,
)
from services.alerts.web.showing import when
from services.expected import unfit
from services.failures import Rejected
from services.web.asgi import Problem
from services.web.guard import ROLE

ADMIN = {ROLE: "admin"}
OPEN_OF_ONE = 100


@get("/v1/rules", responses=answers())
async def list_rules(backend: Injected, language: Reading) -> Response[RuleList]:
    """Every rule with its texts and its record."""
    current = backend.current
    rules = [_rule(one, backend, language) for one in current.rules.rules]
    return Response(RuleList(version=current.rules.version, rules=rules), headers=told_in(language))


@post("/v1/rules/{rule_id:str}/enable", opt=ADMIN, status_code=200, responses=answers())
async def enable_rule(request: Asking, rule_id: FromPath[str], data: JSONBody[Switch], backend: Injected) -> Switched:
    """The rule raises alerts again."""
    return await _switched(request, backend, rule_id, True, data.reason)


@post("/v1/rules/{rule_id:str}/disable", opt=ADMIN, status_code=200, responses=answers())
async def disable_rule(request: Asking, rule_id: FromPath[str], data: JSONBody[Switch], backend: Injected) -> Switched:
    """The rule raises nothing any more; within seconds what it has raised is withdrawn."""
    return await _switched(request, backend, rule_id, False, data.reason)


@get("/v1/customers/{customer_id:str}/rules", responses=answers())
async def explain_rules(customer_id: FromPath[str], backend: Injected, language: Reading) -> Response[RulesOfCustomer]:
    """For every rule whether it holds now, which part of its condition fails, and what is missing."""
    stated = await backend.stated(customer_id)
    if stated is None:
        raise Problem(404, "no customer has this id")
    change, current, now_is = stated.change, backend.current, stated.change.customer_id
    standing = await backend.store.standing(now_is) or Standing()
    alerts = await backend.store.find(AlertFilter(customer=(now_is,), state=(OPEN,)), None, OPEN_OF_ONE)
    remembered = Remembered(standing, alerts, current.terms.throttled, current.terms.paused, current.stopped)
    told = explain(change, current.rules, backend.expressions, remembered)
    shown = RulesOfCustomer(
        customer_id=now_is, version=change.version, as_of=instant(change.changed_at), up_to_date=stated.up_to_date,
        rule_set=current.rules.version, currency=backend.currency,
        rules=[_explained(one, language) for one in told],
    )  # fmt: skip
    return Response(shown, headers=told_in(language))


async def _switched(request: Asking, backend: Backend, rule_id: str, enabled: bool, reason: str) -> Switched:
    if backend.current.rules.rule(rule_id) is None:
        raise Problem(404, "no rule has this id")
    if not reason.strip():
        raise Rejected("invalid_value", "why is expected: it is kept with the switch", "reason")
    if wrong := unfit(reason, MAX_WHY):
        raise Rejected("invalid_value", wrong, "reason")
    at = backend.clock.now_ms()
    await backend.store.switch(RuleSwitch(rule_id, enabled, request.user.name, at, reason.strip()))
    return Switched(rule=rule_id, enabled=enabled, actor=request.user.name, at=instant(at), reason=reason.strip())


def _rule(rule: Rule, backend: Backend, language: Language) -> RuleShown:
    one, terms = rule.declared, backend.current.terms
    return RuleShown(
        id=one.id, version=one.version, signal=one.signal, kind=one.kind, situation=one.situation,
        about=list(one.about), name=said(one.name, language), reason=said(one.reason, language),
        suggested=said(one.suggested, language), may_say=said(one.may_say, language),
        must_not_say=said(one.must_not_say, language), on=one.on or None, when=list(one.when),
        when_any=list(one.when_any), severity=one.severity, value_at_stake=one.value_at_stake,
        cooldown_days=one.cooldown_days, depends_on=list(one.depends_on), owner_role=one.owner_role,
        respond_within_hours=one.respond_within_hours, expires_after_days=one.expires_after_days,
        blocks=list(one.blocks), enabled=one.enabled, precision=terms.precision.get((one.id, "")),
        throttled=one.id in terms.throttled, paused=one.id in terms.paused, owner=one.owner or None,
        stopped=backend.current.stopped.get(one.id),
    )  # fmt: skip


def _explained(one: Explained, language: Language) -> RuleExplained:
    declared, moment = one.rule.declared, one.moment
    return RuleExplained(
        id=declared.id, version=declared.version, kind=declared.kind, situation=declared.situation,
        name=said(declared.name, language), status=one.status, holds=one.holds, any_of=one.rule.any_of,
        parts=[ConditionPart(condition=part.condition, holds=part.holds, missing=list(part.missing))
               for part in one.parts],
        missing=one.missing, not_covered=one.not_covered, values=one.values,
        moment=MomentJudged(moment_id=moment.moment_id, kind=moment.kind, occurred_at=instant(moment.occurred_at))
        if moment else None,
        severity=one.severity, value=one.value, value_is=one.value_is, cooling_until=when(one.cooling_until),
        held_back_by=one.by if one.status == "held_back" else None, why=one.by if one.status == "broken" else None,
        alert_id=one.alert_id or None,
    )  # fmt: skip
