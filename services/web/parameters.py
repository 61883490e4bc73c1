"""A question with a word that is not known, or with one said again that can be said once, is refused: a filter passed
over or half heard would answer another question."""

import re

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.spec import OpenAPIType, Schema

from services.web.asgi import Problem

OWN_PARAMETERS = "own_parameters"
"""In a route's `opt`: it looks at the query itself."""
_TELLABLE = re.compile(r"[a-z_]{1,40}")


def refuse_misread(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]  # whatever it carries
    """Of a guard. Raises `Problem` naming what may be asked."""
    asked = connection.query_params
    if not asked or handler.opt.get(OWN_PARAMETERS):
        return
    known = _declared(connection)
    if unknown := sorted(set(asked) - set(known)):
        message = f"the parameters of this path are {', '.join(known)}" if known else "this path takes no parameters"
        raise Problem(400, message, field=tellable(unknown[0]))
    for name, is_list in known.items():
        if not is_list and len(asked.getall(name, [])) > 1:
            raise Problem(400, f"{name} can be asked for once only", field=name)


def tellable(name: str) -> str:
    """No more of a name that is not ours is repeated than cannot be a person's or a number."""
    return name if _TELLABLE.fullmatch(name) else ""


def _declared(connection: ASGIConnection) -> dict[str, bool]:  # type: ignore[type-arg]  # whatever it carries
    """As the API document names them, which is made once; whether it may be said several times."""
    item = (connection.app.openapi_schema.paths or {}).get(connection.scope["path_template"])
    operation = getattr(item, str(connection.scope.get("method")).lower(), None)
    parameters = getattr(operation, "parameters", None) or ()
    return {one.name: _is_list(one.schema) for one in parameters if one.param_in == "query"}


def _is_list(schema: object) -> bool:
    """A list that need not be said is one of a list and nothing."""
    if not isinstance(schema, Schema):
        return False
    return schema.type == OpenAPIType.ARRAY or any(map(_is_list, schema.one_of or ()))
