"""What a filter of the inbox is in SQL: only the columns asked for, so that each question finds its index."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from services.alerts.adapters.rows import spoken
from services.alerts.domain.alert import OPEN_STATES
from services.alerts.ports import OPEN, AlertFilter

_ANY_OF: Mapping[str, str] = {name: f"{name} in ({{}})" for name in ("owner", "kind", "severity", "situation")} | {
    "customer": "customer_id in ({})"
}
_BY_RANK = "order by rank desc, alert_id limit ?"
_SPEAKS = "rules <> replace(rules, ?, '')"
Clause = tuple[str, Collection[Any]]


def finding(where: AlertFilter, after: tuple[float, str] | None, limit: int) -> tuple[str, list[Any]]:
    """Statement and arguments."""
    clauses = list(_narrowing(where))
    if after is not None:
        # the first part alone bounds the walk along an index by rank
        clauses += [("rank <= ?", after[:1]), ("(rank < ? or alert_id > ?)", after)]
    whose: Sequence[Clause] = [("true", ())]
    if where.works is not None:
        # each from its own index: by one condition that has either, all alerts of the bank would be walked through
        whose = [("owner = ?", (where.works,)), ("escalated_to = ? and owner <> ?", (where.works, where.works))]
    # of several owners, too: their alerts are many, or those who left long ago have none among all that are open
    of_the_bank = where.works is None and len(where.owner) != 1 and not where.customer
    # what few of a bank's alerts match is looked for in the index alone, and only what is shown is read
    found = "rank, alert_id" if of_the_bank else "rank, alert_id, body"
    shown = "(select body from alerts a where a.alert_id = found.alert_id)" if of_the_bank else "body"
    pages = [_page(found, [one, *stand, *clauses], limit) for one in whose for stand in _stands(where.state)]
    together = " union all ".join(f"select * from ({page}) p" for page, _ in pages)  # noqa: S608 - our own words
    sql = f"select {shown} from ({together}) found {_BY_RANK}"  # noqa: S608 - our own words
    return _numbered(sql), [*(value for _, values in pages for value in values), limit]


def _page(columns: str, clauses: Sequence[Clause], limit: int) -> tuple[str, list[Any]]:
    told = " and ".join(clause for clause, _ in clauses)
    sql = f"select {columns} from alerts where {told} {_BY_RANK}"  # noqa: S608 - our own words
    return sql, [*(value for _, values in clauses for value in values), limit]


def _narrowing(where: AlertFilter) -> Iterator[Clause]:
    for name, clause in _ANY_OF.items():
        if named := getattr(where, name):
            yield clause.format(_marks(named)), named
    if where.rule:
        # without the id it is another text: alike on both databases, and no letter of an id has a meaning
        ids = [spoken([one]) for one in where.rule if one and " " not in one]
        yield f"({' or '.join([_SPEAKS] * len(ids)) or 'false'})", ids
    if where.guard is not None:
        yield "(waiting = ? or worded_by = ?)", (where.guard, where.guard)


def _stands(states: Collection[str]) -> Iterator[Sequence[Clause]]:
    """Open ones and others apart, as the indexes have them: most alerts of a bank have ended long ago."""
    for is_open in (True, False):
        named = [one for one in states if one != OPEN and (one in OPEN_STATES) is is_open]
        stand = (f"is_open = {'true' if is_open else 'false'}", ())
        if not states or (is_open and OPEN in states):
            yield [stand]
        elif named:
            yield [stand, (f"state in ({_marks(named)})", named)]


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))


def _numbered(sql: str) -> str:
    first, *rest = sql.split("?")
    return first + "".join(f"${place}{part}" for place, part in enumerate(rest, 1))
