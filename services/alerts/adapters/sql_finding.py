"""What a filter of the inbox is in SQL: only the columns asked for, so that each question finds its index."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from services.alerts.domain.alert import OPEN_STATES
from services.alerts.ports import OPEN, AlertFilter

_ANY_OF: Mapping[str, str] = {
    **{name: f"{name} in ({{}})" for name in ("owner", "kind", "severity", "situation")},
    "rule": "alert_id in (select alert_id from alert_rules where rule in ({}))",
}
_BY_RANK = "order by rank desc, alert_id limit ?"
Clause = tuple[str, Collection[Any]]


def finding(where: AlertFilter, after: tuple[float, str] | None, limit: int) -> tuple[str, list[Any]]:
    """Statement and arguments."""
    clauses = list(_narrowing(where))
    if after is not None:
        # the first part alone bounds the walk along an index by rank
        clauses += [("rank <= ?", after[:1]), ("(rank < ? or alert_id > ?)", after)]
    if where.works is None:
        sql, arguments = _page(clauses, limit)
        return _numbered(sql), arguments
    # each from its own index: by one condition that has either, all alerts of the bank would be walked through by rank
    whose = (("owner = ?", (where.works,)), ("escalated_to = ? and owner <> ?", (where.works, where.works)))
    stands: Sequence[Clause] = (("true", ()),) if where.state else (("is_open = true", ()), ("is_open = false", ()))
    pages = [_page([one, stand, *clauses], limit) for one in whose for stand in stands]
    together = " union all ".join(f"select * from ({page}) p" for page, _ in pages)  # noqa: S608 - our own words
    sql = f"select body from ({together}) found {_BY_RANK}"  # noqa: S608 - our own words
    return _numbered(sql), [*(value for _, values in pages for value in values), limit]


def _page(clauses: Sequence[Clause], limit: int) -> tuple[str, list[Any]]:
    told = " and ".join(clause for clause, _ in clauses)
    sql = f"select rank, alert_id, body from alerts {'where ' + told if told else ''} {_BY_RANK}"  # noqa: S608 - our own words
    return sql, [*(value for _, values in clauses for value in values), limit]


def _narrowing(where: AlertFilter) -> Iterator[Clause]:
    for name, clause in _ANY_OF.items():
        if named := getattr(where, name):
            yield clause.format(_marks(named)), named
    if where.customer_id is not None:
        yield "customer_id = ?", (where.customer_id,)
    if where.guard is not None:
        yield "(waiting = ? or worded_by = ?)", (where.guard, where.guard)
    if where.state:
        yield _in_states(where.state)


def _in_states(states: Collection[str]) -> Clause:
    named = [one for one in states if one != OPEN]
    if len(named) == len(states):
        stand = {one in OPEN_STATES for one in named}
        # said once more, so that an index by rank has it all: most alerts of a bank have ended long ago
        told = f" and is_open = {'true' if True in stand else 'false'}" if len(stand) == 1 else ""
        return f"state in ({_marks(named)}){told}", named
    if not named:
        return "is_open = ?", [True]
    return f"(is_open = ? or state in ({_marks(named)}))", [True, *named]


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))


def _numbered(sql: str) -> str:
    first, *rest = sql.split("?")
    return first + "".join(f"${place}{part}" for place, part in enumerate(rest, 1))
