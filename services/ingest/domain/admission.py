"""Decides whether what a channel sent is an event that the bank can use: raw JSON in, `ChannelEvent` or `Rejected` out.

Catalogue, the source's terms, secret and time are handed in. This runs for every event of the bank.
"""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any, cast

import msgspec

from schemas.events import REVERSED, ChannelEvent, Counterparty, Direction, Money
from schemas.identifiers import keyed_hash
from schemas.instants import HOUR_MS, millis
from schemas.money import parse_money
from schemas.tokens import TokenKey, clean_text
from services.expected import meant
from services.failures import Rejected
from services.ingest.domain.attributes import admit_attributes, encode, tells, text
from services.ingest.domain.feedback import FEEDBACK, check_score
from services.ingest.domain.form import RawCounterparty, RawEvent, RawMoney
from services.ingest.domain.naming import actor_key, admit_identifiers, channel_of, subject_of
from services.ingest.domain.raw import parse
from services.ingest.domain.reversal import check_reversal
from services.ingest.domain.rules import Plan, Rules, generic_plan
from services.ingest.domain.sources import Terms

MAX_TEXT = 200
_TYPE_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.:/-]*")
_CONTENT = msgspec.json.Encoder(order="sorted")


def admit(
    bodies: Sequence[bytes | msgspec.Raw], terms: Terms, rules: Rules, now_ms: int
) -> Iterator[ChannelEvent | Rejected]:
    """Each body is the JSON text of one event. A `Rejected` names the field."""
    for raw in parse(bodies, terms.source.max_event_bytes or rules.max_event_bytes, rules.key):
        try:
            yield raw if isinstance(raw, Rejected) else _admitted(raw, terms, rules, now_ms)
        except Rejected as rejected:
            yield rejected


def _admitted(raw: RawEvent, terms: Terms, rules: Rules, now_ms: int) -> ChannelEvent:
    plan = rules.plans.get(raw.type) or _unknown(raw.type, rules)
    identifiers, last4 = admit_identifiers(raw.identifiers, rules)
    attributes = admit_attributes(raw.attributes or {}, plan, rules.key, terms.zone)
    if last4:
        attributes["card_last4"] = last4
    event = ChannelEvent(
        id=_id(raw.id, rules.key),
        type=plan.name,
        source=terms.source.id,
        channel=channel_of(raw.channel, terms, plan),
        subject=subject_of(identifiers, raw.identifiers, plan, terms.source.id, rules),
        occurred_at=_occurred_at(raw, terms.zone, rules, now_ms),
        accepted_at=now_ms,
        identifiers=identifiers,
        of_record=terms.source.is_of_record(plan.name),
        sequence=raw.sequence,
        actor=actor_key(raw.actor, rules) if raw.actor else None,
        amount=_amount(raw, plan, terms),
        direction=_direction(raw, plan),
        balance_after=_money(raw.balance_after, "balance_after", terms) if raw.balance_after else None,
        counterparty=_counterparty(raw.counterparty, rules.key) if raw.counterparty else None,
        product=text(raw.product, "product", rules.key, MAX_TEXT) if raw.product else None,
        correlation_id=text(raw.correlation_id, "correlation_id", rules.key, MAX_TEXT) if raw.correlation_id else None,
        attributes=encode(attributes),
    )
    _check_together(event, attributes, rules)
    return event if event.id else msgspec.structs.replace(event, id=content_id(event, rules.secret))


def _check_together(event: ChannelEvent, attributes: Mapping[str, Any], rules: Rules) -> None:
    """Checks what depends on several fields."""
    if event.type == REVERSED:
        check_reversal(event, attributes, rules)
    elif event.type == FEEDBACK:
        check_score(attributes)


def content_id(event: ChannelEvent, secret: bytes) -> str:
    """The id of an event that came without one: the same content from the same source gives the same id.

    Keyed, because content may be guessed (a birth date) where an id may be seen.
    """
    content = msgspec.structs.replace(event, id="", accepted_at=0)
    return "content-" + keyed_hash(secret, "event id", _CONTENT.encode(content).decode())


def _unknown(event_type: str, rules: Rules) -> Plan:
    if not rules.accept_unknown_types:
        near = _near(event_type[:64], tuple(rules.plans))
        raise Rejected("unknown_type", f"the catalogue has no such event type{near}", "type")
    named = text(event_type, "type", rules.key, 64)  # what a card number becomes is no name either
    if not _TYPE_NAME.fullmatch(named):
        raise Rejected("invalid_value", "a name such as card.paid is expected", "type")
    return generic_plan(named)


@functools.lru_cache(1024)  # a channel that is wrong once is wrong with every event
def _near(event_type: str, known: tuple[str, ...]) -> str:
    """What was probably meant; else where to look, for the names of all would be a page."""
    near = meant(event_type, known, 0.85)
    return f": {near}" if near else " (GET /v1/event-types)"


def _id(given: str | None, key: TokenKey) -> str:
    """A card number in an id becomes its token, the same one each time: of numeric ids, such as 2611270930150042, a
    tenth looks like a card number, and a repeat must stay a repeat."""
    if given is None:
        return ""
    if not 0 < len(given) <= MAX_TEXT or not given.isprintable() or given.isspace():
        raise Rejected("invalid_value", f"1 to {MAX_TEXT} printable characters are expected, not all blank", "id")
    return clean_text(given, key)


def _occurred_at(raw: RawEvent, zone: tzinfo, rules: Rules, now_ms: int) -> int:
    occurred_at = millis(raw.occurred_at, zone)
    if occurred_at > now_ms + rules.max_skew_ms:
        hours = rules.max_skew_ms // HOUR_MS
        raise Rejected("in_the_future", f"more than {hours} hours in the future", "occurred_at")
    if occurred_at < 0:
        raise Rejected("invalid_time", "before 1970", "occurred_at")
    return occurred_at


def _amount(raw: RawEvent, plan: Plan, terms: Terms) -> Money | None:
    if raw.amount is None:
        if plan.money == "required":
            raise Rejected("missing_field", f"{plan.name} requires an amount", "amount")
        return None
    if plan.money == "none":
        raise Rejected("unexpected_field", f"{plan.name} has no amount", "amount")
    amount = _money(raw.amount, "amount", terms)
    if amount.minor < 0:
        raise Rejected(
            "invalid_amount", "an amount is not negative; `direction` says which way it went", "amount.value"
        )
    return amount


def _money(given: RawMoney, field: str, terms: Terms) -> Money:
    try:
        return parse_money(given.value, terms.source.currency if given.currency is None else given.currency)
    except ValueError as error:
        part, _, what = str(error).partition(": ")
        raise Rejected("invalid_amount", what, f"{field}.{part}") from None


def _direction(raw: RawEvent, plan: Plan) -> Direction | None:
    fixed, given = plan.direction, raw.direction
    if given is None:
        if fixed == "required":
            raise Rejected("missing_field", f"{plan.name} requires credit or debit", "direction")
        return cast(Direction | None, fixed)
    allowed = ("credit", "debit") if fixed in (None, "required") else (fixed,)
    if given not in allowed:
        raise Rejected("invalid_value", f"{' or '.join(allowed)} is expected", "direction")
    return cast(Direction, given)


def _named(name: str) -> str:
    """Empty for a filler such as "null": otherwise all such counterparties would be one."""
    return name if tells(name) else ""


def _counterparty(given: RawCounterparty, key: TokenKey) -> Counterparty:
    return Counterparty(
        name=text(_named(given.name or ""), "counterparty.name", key, MAX_TEXT),
        # the groups in which an account number is printed are no card's: of spaced IBANs one in thirty has such digits
        account_no=text("".join((given.account_no or "").split()), "counterparty.account_no", key, MAX_TEXT),
        bank=text(given.bank or "", "counterparty.bank", key, MAX_TEXT),
        kind=text(given.kind or "", "counterparty.kind", key, MAX_TEXT),
    )
