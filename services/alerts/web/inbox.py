"""Reading the inbox: alerts by filters, page by page, and one of them."""

import base64
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from services.alerts.ports import AlertFilter, AlertStore
from services.alerts.web.backend import Backend, Injected
from services.alerts.web.documents import AlertList, AlertShown, answers
from services.alerts.web.filters import (
    Asking,
    Customer,
    InState,
    Mine,
    OfKind,
    OfSituation,
    Owner,
    Severity,
    Speaking,
    kinds,
    portfolio_of,
    refuse_what_is_no_id,
    several,
    severities,
    situations,
    states,
)
from services.alerts.web.language import Reading, told_in
from services.alerts.web.showing import all_shown, tag_of
from services.web.asgi import JSON, Problem
from services.web.conditional import NOT_MODIFIED, IfNoneMatch, Tagged, matches

MERGES_FOLLOWED = 8
_place = msgspec.json.Decoder(tuple[float, str]).decode
Page = Annotated[int, QueryParameter(ge=1, le=200)]


@get("/v1/alerts", responses=answers())
async def list_alerts(
    request: Asking,
    backend: Injected,
    language: Reading,
    owner: Owner = None,
    mine: Mine = False,
    in_state: InState = None,
    kind: OfKind = None,
    severity: Severity = None,
    customer: Customer = None,
    situation: OfSituation = None,
    rule: Speaking = None,
    cursor: Annotated[str | None, QueryParameter(description="`next` of the page before")] = None,
    limit: Page = 50,
) -> Response[AlertList]:
    """Alerts as they stand, the greatest rank first; open ones unless another state is asked for."""
    refuse_what_is_no_id(customer)
    where = AlertFilter(
        owner=() if mine else several("owner", owner), works=portfolio_of(request.user) if mine else None,
        state=states(in_state), kind=kinds(kind), severity=severities(severity),
        customer=await _whole(backend, customer), situation=situations(situation),
        rule=several("rule", rule),
    )  # fmt: skip
    found = await backend.store.find(where, _after(cursor), limit + 1)
    page = found[:limit]
    following = _cursor(page[-1].rank, page[-1].alert_id) if len(found) > limit else None
    told = AlertList(alerts=await all_shown(backend, page, language), next=following)
    return Response(told, headers=told_in(language))


@get("/v1/alerts/{alert_id:str}", operation_class=Tagged, responses=answers(AlertShown) | {304: NOT_MODIFIED})
async def read_alert(
    alert_id: FromPath[str], backend: Injected, language: Reading, if_none_match: IfNoneMatch = None
) -> Response[bytes]:
    """One alert, whole: evidence and history. `ETag` is its revision in this language, for `If-Match` of a step."""
    alert = await backend.store.alert(alert_id)
    if alert is None:
        raise Problem(404, "no alert has this id")
    [told] = await all_shown(backend, [alert], language)
    headers = {"ETag": tag_of(told, language), "Cache-Control": "private, no-cache", **told_in(language)}
    if matches(if_none_match or "", headers["ETag"]):
        return Response(b"", status_code=304, headers=headers)
    return Response(msgspec.json.encode(told), media_type=JSON, headers=headers)


async def _whole(backend: Backend, customer_id: str | None) -> tuple[str, ...]:
    """The customer that now stands for it, and all that were merged into that one: what had ended before kept their
    ids, as they may stand alone again."""
    now_is = await _standing_for(backend.store, customer_id)
    if now_is is None:
        return ()
    stated = await backend.stated(now_is)
    return (now_is, *(stated.change.merged if stated else ()))


async def _standing_for(store: AlertStore, customer_id: str | None) -> str | None:
    """For a former customer id, the customer that it was merged into."""
    for _ in range(MERGES_FOLLOWED):
        standing = await store.standing(customer_id) if customer_id else None
        if standing is None or not standing.merged_into:
            break
        customer_id = standing.merged_into
    return customer_id


def _cursor(rank: float, alert_id: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((rank, alert_id))).decode().rstrip("=")


def _after(cursor: str | None) -> tuple[float, str] | None:
    if cursor is None:
        return None
    try:
        return _place(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, msgspec.MsgspecError):
        raise Problem(400, "cursor must be `next` of the page before", field="cursor") from None
