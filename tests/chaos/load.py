"""What flows while everything fails: a simulated bank in disorder, with repeats, late links, reversals and rubbish."""

import time
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from schemas.codec import encode_event
from schemas.instants import DAY_MS
from services.log import Message
from services.simulator.bank import Bank, account_no, customer_no, day_at
from services.simulator.traffic import history
from tests.profile.told import admitted, rfc3339

DAYS = 40
LEAVING, STAYING = 12, 12
"""Managers."""
REPEATS = 0.1
LATE = 0.3
"""By how much of the whole run an event may come late."""


def messages(seed: int, count: int) -> list[Message]:
    """`count` messages at least, in the order in which they are to be appended."""
    random = Random(seed)
    now = time.time_ns() // 1_000_000
    today = day_at(now)
    size = max(20, count // 75)
    bank = Bank(seed, size, today)
    raw = list(history(bank, today - timedelta(days=DAYS), today))
    raw += list(_unrest(random, raw, size, now))
    first, until = now - (DAYS + 1) * DAY_MS, now
    placed: list[tuple[float, Message]] = []
    for one in raw:
        event = admitted(one, now=now)
        at = (event.occurred_at - first) / (until - first) + random.random() * LATE
        for _ in range(2 if random.random() < REPEATS else 1):
            placed.append((at, Message(event.subject.encode(), encode_event(event))))
            at += random.random() * LATE
    rubbish = (b"no avro", b"\xc3\x01unknown!", placed[0][1].value[:-2])
    placed += [(random.random(), Message(f"rubbish-{n}".encode(), rubbish[n % 3])) for n in range(9)]
    return [message for _, message in sorted(placed, key=lambda one: one[0])]


def _unrest(random: Random, raw: list[dict[str, Any]], size: int, now: int) -> Iterator[dict[str, Any]]:
    """What a quiet bank has little of: links that come, end and meet, managers that change, movements taken back."""
    paid = [
        one for one in raw if one.get("direction") == "debit" and "amount" in one and "account_no" in one["identifiers"]
    ]
    for one in random.sample(paid, len(paid) // 20):
        told = {"original_id": one["id"], "original_type": one["type"], "original_occurred_at": one["occurred_at"]}
        kept = {name: one[name] for name in ("identifiers", "amount", "direction")}
        yield {"id": f"back-{one['id']}", "type": "transaction.reversed", "channel": "corebank", "attributes": told,
               "occurred_at": one["occurred_at"], **kept}  # fmt: skip
    for number in range(size * 4):
        at = now - random.randrange(DAYS * DAY_MS)
        customer, other = customer_no(random.randrange(size)), random.randrange(size)
        household = f"hh-{random.randrange(max(2, size // 4))}"
        named = {"customer_no": customer}
        kind, channel, identifiers = random.choice([
            ("holder.added", "corebank", {"account_no": account_no(other), "customer_no": customer}),
            ("holder.removed", "corebank", {"account_no": account_no(other), "customer_no": customer}),
            ("household.joined", "corebank", {"customer_no": customer, "household_no": household}),
            ("household.left", "corebank", {"customer_no": customer, "household_no": household}),
            ("login.failed", "mobile", {"login": f"u{other}"}),
            ("login.succeeded", "mobile", {"login": f"u{other}", "device_id": f"d{other % 7}", **named}),
            ("phone.changed", "counter", {"customer_no": customer, "phone": f"+86138{other % 9:08d}"}),
            ("manager.assigned", "corebank", named),
            ("manager.left", "corebank", {"manager_id": f"M-{other % LEAVING}"}),
        ])  # fmt: skip
        attributes = {
            "phone.changed": {"former_phone": f"+86138{number % 9:08d}"},
            "manager.assigned": {"manager_id": f"M-{number % (LEAVING + STAYING)}"},
            "manager.left": {"successor_id": f"M-{LEAVING + number % STAYING}"},
        }.get(kind, {})
        yield {"id": f"unrest-{number}", "type": kind, "channel": channel, "occurred_at": rfc3339(at),
               "identifiers": identifiers, "attributes": attributes}  # fmt: skip
