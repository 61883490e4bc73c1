"""Which customer managers are there: who has left, who is away, and who stands in."""

from collections.abc import Mapping
from typing import Any

from services.profile.domain.customers.customer import Manager

Staff = Mapping[str, Manager]


def has_left(staff: Staff, manager: str) -> bool:
    return manager in staff and staff[manager].fields.get("status") == "left"


def left_since(staff: Staff, manager: str, since: int) -> bool:
    """Whether who has customers since then has left them: whoever comes back does not take them back."""
    left_at = staff[manager].fields.get("left_at") if manager in staff else None
    return has_left(staff, manager) or (isinstance(left_at, int) and left_at > since)


def acting(owner: str | None, staff: Staff, now: int) -> str | None:
    """Who answers now: the owner, or while away the delegate; None where nobody stands in."""
    return answering(owner, staff, now)[0]


def answering(owner: str | None, staff: Staff, now: int) -> tuple[str | None, dict[str, Any] | None]:
    """Who answers, and where that is not the owner, as whose delegate until when: the delegate's delegate where both
    are away, nobody where the last of them names none who is here."""
    answers, delegate, passed = owner, None, set[str]()
    while answers is not None and (away := _absence(answers, staff, now)) is not None:
        passed.add(answers)
        named = away.get("delegate_id")
        if not named or str(named) in passed or has_left(staff, str(named)):
            return None, None
        answers = str(named)
        delegate = {"manager_id": answers, "from": away["from"], "until": away["until"]}
    return answers, delegate


def in_line(owner: str | None, staff: Staff) -> list[Manager]:
    """The owner and who stands in, one for another, away or not."""
    found: dict[str, Manager] = {}
    while owner is not None and owner in staff and owner not in found:
        found[owner] = staff[owner]
        named = found[owner].fields.get("delegate_id")
        owner = str(named) if named else None
    return list(found.values())


def _absence(manager: str, staff: Staff, now: int) -> Mapping[str, Any] | None:
    fields = staff[manager].fields if manager in staff else {}
    since, until = fields.get("from"), fields.get("until")
    return fields if isinstance(since, int) and isinstance(until, int) and since <= now < until else None
