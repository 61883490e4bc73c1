"""`POST /v1/events`: bare ASGI, because it takes every event of the bank. Answers 202 only for what is durable."""

import asyncio
import contextlib
import itertools
import logging
import re
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial

from schemas.receipt import encode_receipt
from services.clock import Clock
from services.failures import Rejected, Unavailable, trace_of
from services.ingest.accept import Outcome, accept, dead_letter, occurred
from services.ingest.access import KeyAccess
from services.ingest.channels.body import Body, Disconnected, InFlight, Sent
from services.ingest.channels.publish import Publisher
from services.ingest.channels.taking import Event, Taking
from services.ingest.domain.rules import Rules
from services.ingest.domain.sources import Terms
from services.ingest.domain.split import split_json, split_lines
from services.ingest.ports import RateLimiter
from services.ingest.settings import Limits
from services.log import Placed
from services.web.asgi import Problem, Receive, Response, Scope, Send, bearer_token, header, json_response, retry_after

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_log = logging.getLogger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")
# so many are admitted before others get their turn in the event loop (about 5 ms)
_SLICE = 128
Split = Callable[[bytes], Sequence[Event]]
_STATUS_OF = {"malformed": 400, "event_too_large": 413, "channel_not_allowed": 403}


class EventsEndpoint:
    """The ASGI app. Everything that it needs is handed in."""

    def __init__(
        self,
        access: KeyAccess,
        rules: Rules,
        publisher: Publisher,
        limiter: RateLimiter,
        clock: Clock,
        limits: Limits,
        taking: Taking,
    ) -> None:
        self._access, self._rules, self._publisher = access, rules, publisher
        self._limiter, self._clock, self._limits, self._taking = limiter, clock, limits, taking
        self._in_flight = InFlight(limits)
        # one draw for the process: a system call for each request costs more than admitting its event
        self._process, self._numbers = uuid.uuid4().hex[:12], itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        given = header(scope, b"x-request-id")
        request_id = given if _REQUEST_ID.fullmatch(given) else f"{self._process}-{next(self._numbers):x}"
        sent = Sent(scope, receive)
        try:
            response = await self._answer(scope, sent.receive)
        except Problem as problem:
            response = problem.response()
        except Unavailable as away:
            message = f"nothing was accepted for certain, send it again: {away}"
            response = Problem(503, message, retry_after(away.retry_after)).response()
        except Disconnected:
            return
        except Exception as bug:
            _log.error("request failed: %s, request %s", trace_of(bug), request_id)
            response = Problem(500, "a mistake of ours; the request id helps to find it").response()
        if not sent.whole:
            await sent.throw_away(self._limits.body_timeout_s)
        self._publisher.answered(_method(scope), response.status, time.perf_counter() - started)
        await response.send(send, request_id)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] != "POST":
            raise Problem(405, "events are sent by POST", {"allow": "POST"})
        content_type = header(scope, b"content-type").partition(";")[0].strip().lower()
        if content_type not in ("application/json", *NDJSON):
            raise Problem(415, f"application/json or {NDJSON[0]} is expected")
        split = split_lines if content_type in NDJSON else split_json
        await self._terms(scope)
        self._in_flight.enter()
        body = Body(self._in_flight, self._limits)
        try:
            sent = await body.read(scope, receive)
            # asked again: a body may take its time, and the key be revoked meanwhile
            return await self._take(sent, await self._terms(scope), split)
        finally:
            self._in_flight.leave(body.held)

    async def _terms(self, scope: Scope) -> Terms:
        key = bearer_token(header(scope, b"authorization"))
        if not key:
            raise Problem(401, "Authorization: Bearer KEY is expected", {"www-authenticate": "Bearer"})
        terms = await self._access.terms(key)
        if terms is None:
            refused = {"www-authenticate": 'Bearer error="invalid_token"'}
            raise Problem(401, "the key is unknown or was revoked, or its source is switched off", refused)
        return terms

    async def _take(self, body: bytes, terms: Terms, split: Split) -> Response:
        try:
            events = split(body)
        except Rejected as rejected:
            now = self._clock.now_ms()
            letter = dead_letter(body, rejected, terms, self._rules, now)
            await self._publisher.refuse(letter, terms, rejected.reason)
            raise Problem(400, rejected.message) from None
        most = terms.source.max_batch_events or self._limits.max_batch_events
        if len(events) > most:
            raise Problem(413, f"at most {most} events a request")
        await self._within_rate(terms, len(events))
        outcome, placed, first = Outcome(), list[Placed](), 0
        async with contextlib.aclosing(self._taking(events, partial(occurred, events, terms, self._rules))) as portions:
            async for now, some in portions:
                admitted = await self._admit(some, terms, now, first)
                placed += await self._publisher.publish(admitted, terms, now)
                outcome.add(admitted)
                first += len(some)
        return _response(outcome, encode_receipt(placed))

    async def _within_rate(self, terms: Terms, count: int) -> None:
        grant = terms.grant
        wait = await self._limiter.take(grant.key_id, max(1, count), grant.rate, grant.burst)
        if wait > 0:
            raise Problem(429, f"the key may send {grant.rate} events a second", retry_after(wait))

    async def _admit(self, events: Sequence[Event], terms: Terms, now: int, before: int) -> Outcome:
        """`before`: how many of the request came before these."""
        partitions = self._publisher.partitions
        whole = accept(events[:_SLICE], terms, self._rules, now, partitions, before)
        for first in range(_SLICE, len(events), _SLICE):
            await asyncio.sleep(0)
            whole.add(accept(events[first : first + _SLICE], terms, self._rules, now, partitions, before + first))
        return whole


def _method(scope: Scope) -> str:
    """As a metric label: an invented method must not become a series of its own."""
    return "POST" if scope["method"] == "POST" else "other"


def _response(outcome: Outcome, receipt: str) -> Response:
    if outcome.rejected and not outcome.accepted:
        statuses = {_STATUS_OF.get(rejection.reason, 422) for rejection in outcome.rejected}
        status = statuses.pop() if len(statuses) == 1 else 422
        return Problem(status, "no event was acceptable", rejected=outcome.rejected).response()
    answer = {"accepted": outcome.accepted, "rejected": outcome.rejected, "receipt": receipt}
    return json_response(answer, 202)
