"""Merging, splitting, reviewing and erasing: for those who answer for customers, and for admins."""

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from schemas.instants import instant
from services.access import User
from services.profile.decide import Said
from services.profile.domain.identity.links import kind_of
from services.profile.erasing import ERASE
from services.profile.ports.records import Decision
from services.profile.web.backend import Backend, Injected
from services.profile.web.decision_documents import DecisionMade, Erase, KeepApart, Merge, Review, Reviews, Split
from services.profile.web.documents import answers
from services.web.asgi import Problem
from services.web.guard import ROLE

MANAGER, ADMIN = {ROLE: "manager"}, {ROLE: "admin"}
_Asked = Request[User, Any, Any]


@post("/v1/customers/merge", opt=MANAGER, status_code=200, responses=answers())
async def merge_customers(request: _Asked, data: JSONBody[Merge], backend: Injected) -> DecisionMade:
    """Two customers become one; nothing is lost, and splitting them again leaves no trace in their views."""
    left, right = data.customer_ids
    return await _made(backend, await backend.decide.merge(left, right, _said(request, backend, data.reason)))


@post("/v1/customers/split", opt=MANAGER, status_code=200, responses=answers())
async def split_customer(request: _Asked, data: JSONBody[Split], backend: Injected) -> DecisionMade:
    """Undoes a merge or another decision, or detaches a subject that does not belong to the customer."""
    said, subject = _said(request, backend, data.reason), _subject(backend, data)
    if data.decision_id is not None:
        if subject is not None:
            raise Problem(422, "a decision to undo or a subject to detach is expected, not both", field="decision_id")
        return await _made(backend, await backend.decide.undo(data.decision_id, said, data.customer_id))
    if data.customer_id is None:
        raise Problem(422, "customer_id: whom to split is expected, or decision_id: what to undo", field="customer_id")
    if subject is not None:
        return await _made(backend, await backend.decide.detach(data.customer_id, subject, said))
    return await _made(backend, await backend.decide.split(data.customer_id, said))


@post("/v1/customers/erase", opt=ADMIN, status_code=200, responses=answers())
async def erase_customer(request: _Asked, data: JSONBody[Erase], backend: Injected) -> DecisionMade:
    """What is personal about the customer is forgotten, and cannot be brought back; what happened stays, under ids that
    name nobody."""
    return await _made(backend, await backend.decide.erase(data.customer_id, _said(request, backend, data.reason)))


@get("/v1/reviews", opt=MANAGER, responses=answers())
async def list_reviews(backend: Injected, limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100) -> Reviews:
    """Customers who may be one and whom nobody has judged yet, oldest first."""
    cases = await backend.decide.reviews(limit)
    return Reviews(reviews=[await _review(backend, case) for case in cases])


@post("/v1/reviews/{review_id:str}/keep-apart", opt=MANAGER, status_code=200, responses=answers())
async def keep_apart(
    request: _Asked, review_id: FromPath[str], data: JSONBody[KeepApart], backend: Injected
) -> DecisionMade:
    """The two are different people: the case is closed."""
    return await _made(backend, await backend.decide.keep_apart(review_id, _said(request, backend, data.reason)))


def _said(request: _Asked, backend: Backend, reason: str) -> Said:
    return Said(request.user.name, reason, backend.clock.now_ms())


def _subject(backend: Backend, data: Split) -> str | None:
    if data.identifiers is None:
        return data.subject
    named = list(backend.read.query(data.identifiers.given()).subjects.values())
    if len(named) != 1 or data.subject is not None:
        raise Problem(422, "one subject or one identifier is expected", field="identifiers")
    return named[0]


async def _made(backend: Backend, decision: Decision) -> DecisionMade:
    return DecisionMade(
        decision_id=decision.decision_id, kind=decision.kind, actor=decision.actor, reason=decision.reason,
        at=instant(decision.at), undoes=decision.undoes, customer_ids=await _customers(backend, decision),
    )  # fmt: skip


async def _customers(backend: Backend, decision: Decision) -> list[str]:
    """An erasure names all that was the customer's; those of customer numbers tell whose it is."""
    parties = [one for one in decision.subjects if kind_of(one) == "party"] if decision.kind == ERASE else []
    named = parties or decision.subjects
    return sorted({one for subject in named for one in await backend.read.reader.customers_of(subject)})


async def _review(backend: Backend, case: Decision) -> Review:
    return Review(
        review_id=case.decision_id, at=instant(case.at), reason=case.reason, shared=str(case.body.get("shared", "")),
        customer_ids=await _customers(backend, case),
    )  # fmt: skip
