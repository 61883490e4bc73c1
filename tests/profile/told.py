"""Events as ingest would have accepted them, and the batches in which a log would hand them on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.catalogue import load_catalogue
from schemas.codec import encode_event
from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_OF
from schemas.naming import Naming
from schemas.tokens import TokenKey
from services.ingest.app import rules_of
from services.ingest.domain.sources import Grant, Source, Terms
from services.ingest.settings import Choices
from services.log import Batch, Record
from services.profile.adapters.policies import load_declarations
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.personal import reference
from services.profile.domain.states.series import Counting
from tests.ingest.bank import admit

SECRET = b"a secret of thirty-two bytes...."
NAMING = Naming(TokenKey(SECRET))
NOW = 1_795_320_000_000  # 2026-11-22T04:00:00Z
TOPIC, TOPIC_ID = "channel-events", "topic-1"
CATALOGUE = load_catalogue()
DECLARED = load_declarations()
_RULES = rules_of(NAMING, CATALOGUE, Choices())


def new_fold(version: int = DECLARED.series.version) -> Fold:
    return Fold(CATALOGUE, Counting(DECLARED.series), version)


def refer(value: str) -> str:
    """To a personal value."""
    return reference(value, SECRET)


def rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def admitted(raw: dict[str, Any], *, source: str = "core", now: int = NOW) -> ChannelEvent:
    """Through the real admission. `raw` is an event in its HTTP form."""
    terms = Terms(Grant(key_id="key", source=source, channels=("*",)), Source(id=source, of_record=("*",)), UTC)
    return admit(msgspec.json.encode(raw), terms, _RULES, now)


def told(
    kind: str, event_id: str, at: int, *, channel: str = "corebank", now: int = NOW, source: str = "core", **fields: Any
) -> ChannelEvent:
    """`fields` whose names are identifier kinds become identifiers, the other ones stay fields of the event."""
    named = {name: fields.pop(name) for name in list(fields) if name in SUBJECT_OF}
    raw = {"id": event_id, "type": kind, "occurred_at": rfc3339(at), "channel": channel, "identifiers": named, **fields}
    return admitted(raw, source=source, now=now)


def paid(event_id: str, at: int, account: str, minor: int = 1_000, **fields: Any) -> ChannelEvent:
    amount = {"value": f"{minor / 100:.2f}", "currency": "CNY"}
    return told(
        "transaction.posted", event_id, at, account_no=account, amount=amount, **{"direction": "debit", **fields}
    )


def opened(account: str, customer: str, at: int, **fields: Any) -> ChannelEvent:
    return told("account.opened", f"open-{account}-{customer}", at, account_no=account, customer_no=customer, **fields)


def batch(start: int, events: Sequence[ChannelEvent | bytes], partition: int = 0) -> Batch:
    """Bytes stand in the log as they are."""
    values = [one if isinstance(one, bytes) else encode_event(one) for one in events]
    records = [Record(start + place, NOW, b"key", value) for place, value in enumerate(values)]
    return Batch(TOPIC, TOPIC_ID, partition, start, start + len(records), records)
