"""From an alert to the events behind it: for a manager before a call, and for an auditor a year later."""

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from schemas.instants import instant
from services.alerts.web.backend import Injected
from services.alerts.web.documents import AlertEvents, RuleSpoken, answers
from services.web.asgi import JSON, Problem

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


@get("/v1/alerts/{alert_id:str}/events", responses=answers(AlertEvents))
async def list_events(alert_id: FromPath[str], backend: Injected) -> Response[bytes]:
    """For each piece of evidence, the event that it is about, and the events from which each of its facts was counted,
    as they stood when the rule saw them."""
    alert = await backend.store.alert(alert_id)
    if alert is None:
        raise Problem(404, "no alert has this id")
    evidence = [
        {
            "rule": RuleSpoken(id=one.rule, version=one.rule_version), "seen_at": instant(one.seen_at),
            "customer_version": one.statement, "origin": one.origin or None,
            **_members.decode(await backend.events_of(one.origin or alert.customer_id, one)),
        }
        for one in alert.evidence
    ]  # fmt: skip
    told = {"alert_id": alert.alert_id, "customer_id": alert.customer_id, "evidence": evidence}
    headers = {"Cache-Control": "private, no-cache"}
    return Response(msgspec.json.encode(told), media_type=JSON, headers=headers)
