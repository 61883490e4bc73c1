"""A question with a word that is not known is refused: a filter passed over would answer another question."""

import re

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from services.web.asgi import Problem

OWN_PARAMETERS = "own_parameters"
"""In a route's `opt`: it looks at the query itself."""
_TELLABLE = re.compile(r"[a-z_]{1,40}")


def refuse_unknown(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]  # whatever it carries
    """Of a guard. Raises `Problem` naming what may be asked."""
    asked = set(connection.query_params)
    if not asked or handler.opt.get(OWN_PARAMETERS):
        return
    known = _declared(connection)
    if unknown := sorted(asked - set(known)):
        told = f"the parameters of this path are {', '.join(known)}" if known else "this path takes no parameters"
        raise Problem(400, told, field=tellable(unknown[0]))


def tellable(name: str) -> str:
    """No more of a name that is not ours is repeated than cannot be a person's or a number."""
    return name if _TELLABLE.fullmatch(name) else ""


def _declared(connection: ASGIConnection) -> list[str]:  # type: ignore[type-arg]  # whatever it carries
    """As the API document names them, which is made once."""
    item = (connection.app.openapi_schema.paths or {}).get(connection.scope["path_template"])
    operation = getattr(item, str(connection.scope.get("method")).lower(), None)
    return [one.name for one in getattr(operation, "parameters", None) or () if one.param_in == "query"]
