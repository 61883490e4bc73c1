"""Deny by default: every route needs a token, and says which role it needs beyond an agent's.

One guard for all that is asked of a request: the framework copies a handler for each guard, and runs one that is no
coroutine in another thread, which costs more than many an answer.
"""

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Guard

from services.access import Access, Role, User
from services.web.asgi import Problem, bearer_token
from services.web.parameters import refuse_misread

ROLE = "role"
_REALM = 'Bearer realm="counterpoint"'


def guard(access: Access) -> Guard:
    async def admit(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]  # whatever it carries
        """Raises `Problem` with the challenges of RFC 6750, or naming what may be asked; `Unavailable`."""
        token = bearer_token(connection.headers.get("authorization", ""))
        if not token:
            raise Problem(401, "Authorization: Bearer TOKEN is expected", {"www-authenticate": _REALM})
        user = await access.user(token)
        if user is None:
            refused = {"www-authenticate": f'{_REALM}, error="invalid_token"'}
            raise Problem(401, "the token is unknown, was revoked or has expired", refused)
        needed: Role = handler.opt.get(ROLE, "agent")
        if not user.may(needed):
            refused = {"www-authenticate": f'{_REALM}, error="insufficient_scope", scope="{needed}"'}
            raise Problem(403, f"the role {needed} is needed", refused)
        connection.scope["user"] = user
        refuse_misread(connection, handler)

    return admit


async def still_admitted(access: Access, authorization: str, user: User) -> bool:
    """For answers that last: whether the token that opened it still stands."""
    return await access.user(bearer_token(authorization)) == user
