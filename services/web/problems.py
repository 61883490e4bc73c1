"""Whatever goes wrong is told as an RFC 9457 problem document, which never repeats what was sent."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap

from services.expected import expected
from services.failures import Contended, Rejected, Unavailable, trace_of
from services.log import Stop
from services.web.asgi import NOTHING_HERE, PROBLEM_JSON, TITLES, Problem, retry_after

MAX_BODY_BYTES = 64 * 1024
"""Of what people and their programs send; events have limits of their own."""

_log = logging.getLogger(__name__)
_DETAILS = {
    400: "the request is not as the API document describes it",
    404: NOTHING_HERE,
    405: "this method is not served here",
    413: f"a body has at most {MAX_BODY_BYTES} bytes",
}
_WHOLE_BODY, _MISSING = "data", re.compile(r"missing required field `(\w{1,40})`")
# of a name that is not ours no more is repeated than cannot be a person's or a number
_UNKNOWN = re.compile(r"unknown field `([a-z_]{1,40})`")
_MEANINGS = {
    400: "Not as this document describes it",
    401: "No token, or one that is unknown, revoked or expired",
    403: "The role does not suffice",
    404: "There is no such thing",
    408: "The body did not arrive in time",
    413: "The body is too large",
    422: "A value that cannot be meant",
    503: "The database is away; Retry-After says when to try again",
}
Any_ = Request[Any, Any, Any]


class ProblemDocument(msgspec.Struct, kw_only=True):
    """RFC 9457. It never repeats what was sent. `field`: where the mistake is, where one field has it; `reason`: a
    stable word for a program."""

    type: str
    title: str
    status: int
    detail: str
    field: str | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType = msgspec.UNSET


def described(shape: type | None, more: Mapping[int, str]) -> dict[int, ResponseSpec]:
    """For the API document: what may go wrong, `more` beside what may everywhere, and the shape of an answer that is
    written as bytes."""
    problems = {
        status: problem_of(ProblemDocument, meaning) for status, meaning in sorted({**_MEANINGS, **more}.items())
    }
    success = (
        ResponseSpec(shape, generate_examples=False, description="As it stands now") if shape is not None else None
    )
    return problems if success is None else {200: success, **problems}


def problem_of(shape: type[ProblemDocument], meaning: str) -> ResponseSpec:
    """`shape`: says what this problem tells beside what every problem does."""
    return ResponseSpec(shape, generate_examples=False, description=meaning, media_type=PROBLEM_JSON)


def answer(problem: Problem) -> Response[bytes]:
    response = problem.response()
    return Response(
        response.body, status_code=response.status, media_type=response.content_type, headers=dict(response.headers)
    )


def _problem(request: Any_, problem: Problem) -> Response[bytes]:
    return answer(problem)


def _rejecting(status_of: Mapping[str, int]) -> Callable[[Any_, Rejected], Response[bytes]]:
    def rejected(request: Any_, rejected: Rejected) -> Response[bytes]:
        status = status_of.get(rejected.reason, 422)
        return answer(Problem(status, rejected.message, reason=rejected.reason, field=rejected.field))

    return rejected


def _away(request: Any_, away: Unavailable) -> Response[bytes]:
    return answer(Problem(503, "the database is away", retry_after(away.retry_after)))


def _contended(request: Any_, contended: Contended) -> Response[bytes]:
    return answer(Problem(503, "others are deciding about the same customers", {"retry-after": "1"}))


def _outdated(request: Any_, order: Stop) -> Response[bytes]:
    """What this process must not touch; another one, of the newer release, answers behind the same address."""
    return answer(Problem(503, "a newer release has written what this one would change", {"retry-after": "30"}))


def _refused(request: Any_, error: HTTPException) -> Response[bytes]:
    """The framework's own words may repeat a value: only the place of the mistake and what was expected are taken."""
    status = error.status_code if error.status_code in TITLES else 400
    detail, headers = _DETAILS.get(status, TITLES[status]), dict(error.headers or {})
    if status != 400:
        return answer(Problem(status, detail, headers))
    if isinstance(error.__cause__, SerializationException):
        return answer(Problem(status, "the body is not valid JSON", headers))
    mistakes = error.extra if isinstance(error.extra, list) else []
    field, message = _mistake(request, mistakes[0]) if mistakes else ("", "")
    detail = ": ".join(filter(None, (field, message))) or detail
    return answer(Problem(status, detail, headers, field=field))


def _mistake(request: Any_, found: Mapping[str, str]) -> tuple[str, str]:
    """The field or the declared parameter, "" for the whole body; and what is expected there."""
    place, message = found.get("key", ""), found.get("message", "")
    place = "" if found.get("source") == "body" and place == _WHOLE_BODY else place
    if missing := _MISSING.search(message):
        return ".".join(filter(None, (place, missing[1]))), "required"
    if "unknown field" in message:
        named = _UNKNOWN.search(message)
        known = "" if place else f", known are {', '.join(_fields(request))}"
        return ".".join(filter(None, (place, named[1] if named else ""))), f"unknown field{known}"
    if message == f"'{_WHOLE_BODY}'":
        return "", "a body in JSON is expected"
    at_place = msgspec.ValidationError(f"{message} - at `$.{place}`" if place else message)
    return place, expected(at_place, _body(request))[1]


def _fields(request: Any_) -> tuple[str, ...]:
    declared = _body(request)
    return declared.__struct_fields__ if declared else ()


def _body(request: Any_) -> type[msgspec.Struct] | None:
    """A body that may be left out is declared as a struct or None."""
    field = request.route_handler.parsed_data_field
    shapes = (field.annotation, *get_args(field.annotation)) if field else ()
    return next((one for one in shapes if isinstance(one, type) and issubclass(one, msgspec.Struct)), None)


def _bug(request: Any_, error: Exception) -> Response[bytes]:
    _log.error("request failed: %s", trace_of(error))
    return answer(Problem(500, "a mistake of ours"))


def handlers(status_of: Mapping[str, int]) -> ExceptionHandlersMap:
    """`status_of`: what a reason of `Rejected` is answered with, where that is not 422."""
    return {
        Problem: _problem,
        Rejected: _rejecting(status_of),
        Unavailable: _away,
        Contended: _contended,
        Stop: _outdated,
        HTTPException: _refused,
        Exception: _bug,
    }
