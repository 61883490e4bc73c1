"""What a filter of the inbox is in SQL: only the columns asked for, so that each question finds its index."""

from typing import Any

from services.alerts.ports import OPEN, AlertFilter

_CLAUSES = {
    "owner": "owner = ?",
    "works": "(owner = ? or escalated_to = ?)",
    "state": "state = ?",
    "kind": "kind = ?",
    "severity": "severity = ?",
    "customer_id": "customer_id = ?",
    "situation": "situation = ?",
    "rule": "alert_id in (select alert_id from alert_rules where rule = ?)",
}


def finding(where: AlertFilter, after: tuple[float, str] | None, limit: int) -> tuple[str, list[Any]]:
    """Statement and arguments."""
    asked: dict[str, Any] = {name: value for name, value in where._asdict().items() if value is not None}
    is_open = asked.get("state") == OPEN
    if is_open:
        del asked["state"]
    clauses = [_CLAUSES[name] for name in asked]
    arguments = [value for name, value in asked.items() for _ in range(_CLAUSES[name].count("?"))]
    if is_open:
        clauses.append("is_open = ?")
        arguments.append(True)
    if after is not None:
        # the first part alone bounds the walk along an index by rank
        clauses += ["rank <= ?", "(rank < ? or alert_id > ?)"]
        arguments += [after[0], *after]
    told = " and ".join(clauses)
    sql = f"select body from alerts {'where ' + told if told else ''} order by rank desc, alert_id limit ?"  # noqa: S608 - our own words
    return _numbered(sql), [*arguments, limit]


def _numbered(sql: str) -> str:
    first, *rest = sql.split("?")
    return first + "".join(f"${place}{part}" for place, part in enumerate(rest, 1))
