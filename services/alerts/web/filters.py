"""The filters of the inbox. One that is given several times, or with commas, matches any of its values."""

from collections.abc import Sequence
from typing import Annotated, Any, get_args

from litestar import Request
from litestar.params import QueryParameter

from services.access import User
from services.alerts.domain.rules import KINDS, LEAST_SEVERE, MOST_SEVERE, Situation
from services.alerts.ports import ALL, OPEN, STATES_ASKED
from services.failures import Rejected
from services.web.asgi import Problem

Asking = Request[User, Any, Any]
_SITUATIONS = get_args(Situation)
_SEVERITIES = tuple(str(one) for one in range(LEAST_SEVERE, MOST_SEVERE + 1))
_SEVERAL = "Any of several, said again or with commas between them"
_OWNER = f"A manager's id, or the queue of a branch: `queue:BRANCH`. {_SEVERAL}"


def _one_of(words: Sequence[str]) -> QueryParameter:
    return QueryParameter(description=f"{', '.join(words)}. {_SEVERAL}")


Owner = Annotated[list[str] | None, QueryParameter(description=_OWNER)]
Mine = Annotated[
    bool,
    QueryParameter(
        description="Of the portfolio of whoever asks, and what was escalated to him or her; in place of `owner`"
    ),
]
# the framework keeps the word `state` for itself
InState = Annotated[
    list[str] | None,
    QueryParameter(name="state", description=f"{', '.join(STATES_ASKED)}; open if not said. {_SEVERAL}"),
]
OfKind = Annotated[list[str] | None, _one_of(KINDS)]
Severity = Annotated[list[str] | None, QueryParameter(description=f"1 to 3; 3 is the gravest. {_SEVERAL}")]
OfSituation = Annotated[list[str] | None, _one_of(_SITUATIONS)]
Customer = Annotated[
    str | None, QueryParameter(description="Of the customer of this id; a former one finds who it stands for now")
]
Speaking = Annotated[
    list[str] | None, QueryParameter(description=f"Alerts in which the rule of this id speaks. {_SEVERAL}")
]


def states(given: list[str] | None) -> tuple[str, ...]:
    """Open alerts, unless other states are asked for."""
    asked = known("state", given, STATES_ASKED) or (OPEN,)
    return () if ALL in asked else asked


def kinds(given: list[str] | None) -> tuple[str, ...]:
    return known("kind", given, KINDS)


def severities(given: list[str] | None) -> tuple[int, ...]:
    return tuple(int(one) for one in known("severity", given, _SEVERITIES))


def situations(given: list[str] | None) -> tuple[str, ...]:
    return known("situation", given, _SITUATIONS)


def known(field: str, given: list[str] | None, words: Sequence[str]) -> tuple[str, ...]:
    asked = several(field, given)
    for one in asked:
        if one not in words:
            raise Problem(400, f"{field}: {one} is none of {', '.join(words)}", field=field)
    return asked


def several(field: str, given: list[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    asked = tuple(dict.fromkeys(part for one in given for part in one.split(",") if part))
    if not asked:
        raise Problem(400, f"{field}: something to look for is expected", field=field)
    return asked


def refuse_what_is_no_id(customer: str | None) -> None:
    """A number of the bank's would find nothing, as if nothing were to be done."""
    if customer is not None and (not customer or "=" in customer or customer.isdigit()):
        said = "customer: the id of a customer is expected, and GET /v1/customers finds it by a number of the bank's"
        raise Problem(400, said, field="customer")


def portfolio_of(user: User) -> str:
    """Raises `Rejected`."""
    if user.manager_id is None:
        raise Rejected("invalid_value", "this token works no portfolio of its own: ask for an `owner`", "mine")
    return user.manager_id
