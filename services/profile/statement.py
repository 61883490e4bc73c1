"""What a refresh publishes of one customer: the row of the view, and the change message with the same facts in it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from schemas.asked import Asked
from schemas.changes import GONE, Due, Fact, Moment, ProfileChange
from services.outbox import OutboxMessage
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.summary import Shown, Summary
from services.profile.domain.facts.running import moved
from services.profile.domain.identity.links import Cluster
from services.profile.domain.value.policy import Policy
from services.profile.outbox import change_message
from services.profile.ports.records import LIVE, StoredView

_encode = msgspec.json.Encoder().encode  # keeps the order in which facts are worked out
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode
NO_FACTS = _encode({"values": {}, "missing": [], "not_covered": [], "unheard": [], "moments": [], "asked": ""})


class StoredFacts(msgspec.Struct, frozen=True):
    """A view's facts and moments as they are stored. `asked`: the version of the rules' questions (`Asked`) that they
    were written for."""

    values: dict[str, Fact]
    missing: list[str]
    not_covered: list[str]
    unheard: list[str]
    moments: list[Moment]
    asked: str

    @property
    def unknown(self) -> frozenset[str]:
        return frozenset((*self.missing, *self.not_covered))


class _MadeBy(msgspec.Struct, frozen=True):
    """No fact: the same facts by other declarations are no other facts."""

    made_by: str = ""


_decode = msgspec.json.Decoder(StoredFacts).decode
_decode_made_by = msgspec.json.Decoder(_MadeBy).decode


def stored_facts(view: StoredView) -> StoredFacts:
    return _decode(view.facts)


def made_by(view: StoredView) -> str:
    """The version of the policy by which its facts and body were made."""
    return _decode_made_by(view.facts).made_by


def untold(facts: bytes) -> bytes:
    """The stored facts of a view that readers have to hear of, whatever the next refresh finds."""
    return _encode({**msgspec.json.decode(facts), "asked": "untold"})


class Statement(NamedTuple):
    """`written`: the larger fields of the change, encoded once for view and change."""

    view: StoredView
    written: Mapping[str, bytes]


def statement_of(
    customer: Customer, summary: Summary, before: StoredView | None, now: int, policy: Policy
) -> Statement:
    """`policy`: what the summary was made by."""
    written = {"facts": _encode(summary.facts.values), "moments": _encode(summary.moments)}
    facts = {
        "values": msgspec.Raw(written["facts"]),
        "missing": summary.facts.missing,
        "not_covered": summary.facts.not_covered,
        "unheard": summary.facts.unheard,
        "moments": msgspec.Raw(written["moments"]),
        "asked": policy.asked.version if policy.asked is not None else "",
        "made_by": policy.version,
    }
    view = view_of(customer, summary, before, now)
    return Statement(msgspec.structs.replace(view, facts=_encode(facts)), written)


def view_of(customer: Customer, summed_up: Summary | Shown, before: StoredView | None, now: int) -> StoredView:
    """The row of the view, still without its facts."""
    decided = summed_up.decided
    return StoredView(
        customer_id=customer.customer_id, lead=customer.lead, version=_next_version(before, now),
        kind=summed_up.kind, state=LIVE, changed_at=now, body=_encode(summed_up.body), facts=NO_FACTS,
        decided=_encode_sorted(decided), owner=decided.owner, tier=decided.tier, name_ref=summed_up.name_ref,
    )  # fmt: skip


def _next_version(before: StoredView | None, now: int) -> int:
    """When it was made, and later than the one before. So versions never restart, not even where the database comes
    back without its last hour: whatever follows is later than anything that readers have seen."""
    return max(now, before.version + 1 if before else 1)


def is_same(before: StoredView, after: StoredView) -> bool:
    """Nothing that a reader sees differs, counters that run with the days included."""
    if not shows_the_same(before, after):
        return False
    return before.facts == after.facts or _same_facts(stored_facts(before), stored_facts(after))


def shows_the_same(before: StoredView, after: StoredView) -> bool:
    return (before.state, before.body, before.decided) == (after.state, after.body, after.decided)


def _same_facts(before: StoredFacts, after: StoredFacts) -> bool:
    return before == msgspec.structs.replace(after, asked=before.asked)


def is_news(before: StoredView, after: StoredView, asked: Asked | None) -> bool:
    """Whether the change is worth publishing: somebody could act on it. A close that left everything as it was is not,
    and neither is a counter that has grown by a day without passing a limit that a rule asks for."""
    if (before.state, before.body) != (after.state, after.body):
        return True
    if before.facts == after.facts:
        return False
    facts_before, facts_after = stored_facts(before), stored_facts(after)
    if _without_values(facts_before) != _without_values(facts_after):
        return True
    return moved(facts_before.values, facts_after.values, asked)


def _without_values(facts: StoredFacts) -> StoredFacts:
    return msgspec.structs.replace(facts, values={})


def gone(before: StoredView, now: int) -> StoredView:
    """The row of a customer whose subjects all count for others now, or of a household whose last member has left. It
    stays, because versions never restart."""
    return msgspec.structs.replace(
        before, version=_next_version(before, now), state=GONE, changed_at=now,
        body=b"{}", facts=NO_FACTS, owner=None, tier=None, name_ref=None,
    )  # fmt: skip


def change_of(
    customer: Customer, summary: Summary, statement: Statement, alias_of: Callable[[str], str]
) -> OutboxMessage:
    view = statement.view
    change = ProfileChange(
        customer_id=view.customer_id, version=view.version, kind=view.kind, changed_at=view.changed_at,
        facts=summary.facts.values, missing=summary.facts.missing, not_covered=summary.facts.not_covered,
        unheard=summary.facts.unheard, moments=summary.moments,
        due=[Due(at=one.at, kind=one.kind, sources=list(one.sources)) for one in summary.due],
        aliases=sorted({alias_of(part.subject) for part in customer.parts} - {view.customer_id}),
        merged=sorted(alias_of(root) for root in customer.roots if root != customer.lead),
        erased_at=customer.wholly_erased_at,
    )  # fmt: skip
    return change_message(change, statement.written)


def change_of_gone(view: StoredView, cluster: Cluster, erased_at: int, alias_of: Callable[[str], str]) -> OutboxMessage:
    """`erased_at`: of what the customer was before, for nobody may have been told yet."""
    return change_message(ProfileChange(
        customer_id=view.customer_id, version=view.version, kind=GONE, changed_at=view.changed_at,
        aliases=[alias_of(cluster.lead)] if cluster.lead != view.lead else [],
        erased_at=erased_at,
    ))  # fmt: skip
