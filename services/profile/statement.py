"""What a refresh says of one customer: the view's row, and the change with the same facts in the same bytes."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from schemas.asked import Asked
from schemas.changes import Due, Fact, Moment, ProfileChange
from services.outbox import OutboxMessage
from services.profile.domain.customers.customer import Whole
from services.profile.domain.customers.summary import Shown, Summary
from services.profile.domain.facts.running import moved
from services.profile.domain.identity.links import Cluster
from services.profile.outbox import change_message
from services.profile.ports.records import StoredView

GONE, LIVE = "gone", "live"
_encode = msgspec.json.Encoder().encode  # what is told has an order of its own
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode
NOTHING_TOLD = _encode({"values": {}, "missing": [], "not_covered": [], "unheard": [], "moments": [], "asked": ""})


class Told(msgspec.Struct, frozen=True):
    """A view's facts and moments as they are stored. `asked`: the version of what was asked when they were told."""

    values: dict[str, Fact]
    missing: list[str]
    not_covered: list[str]
    unheard: list[str]
    moments: list[Moment]
    asked: str

    @property
    def unknown(self) -> frozenset[str]:
        return frozenset((*self.missing, *self.not_covered))


_told = msgspec.json.Decoder(Told).decode


def told_of(view: StoredView) -> Told:
    return _told(view.facts)


class Statement(NamedTuple):
    """`written`: the larger fields of the change as JSON."""

    view: StoredView
    written: Mapping[str, bytes]


def statement_of(whole: Whole, summary: Summary, before: StoredView | None, now: int, asked: Asked | None) -> Statement:
    written = {"facts": _encode(summary.facts.values), "moments": _encode(summary.moments)}
    facts = {
        "values": msgspec.Raw(written["facts"]),
        "missing": summary.facts.missing,
        "not_covered": summary.facts.not_covered,
        "unheard": summary.facts.unheard,
        "moments": msgspec.Raw(written["moments"]),
        "asked": asked.version if asked is not None else "",
    }
    view = view_of(whole, summary, before, now)
    return Statement(msgspec.structs.replace(view, facts=_encode(facts)), written)


def view_of(whole: Whole, summed_up: Summary | Shown, before: StoredView | None, now: int) -> StoredView:
    """Its facts are not told yet."""
    decided = summed_up.decided
    return StoredView(
        customer_id=whole.customer_id, lead=whole.lead, version=before.version + 1 if before else 1,
        kind=summed_up.kind, state=LIVE, changed_at=now, body=_encode(summed_up.body), facts=NOTHING_TOLD,
        decided=_encode_sorted(decided), owner=decided.owner, tier=decided.tier, name_ref=summed_up.name_ref,
    )  # fmt: skip


def is_same(before: StoredView, after: StoredView) -> bool:
    """Nothing differs, to the day; whatever was asked when they were told."""
    if not shows_the_same(before, after):
        return False
    return before.facts == after.facts or _told_alike(told_of(before), told_of(after))


def shows_the_same(before: StoredView, after: StoredView) -> bool:
    return (before.state, before.body, before.decided) == (after.state, after.body, after.decided)


def _told_alike(before: Told, after: Told) -> bool:
    return before == msgspec.structs.replace(after, asked=before.asked)


def is_news(before: StoredView, after: StoredView, asked: Asked | None) -> bool:
    """Something is told that somebody could act on, so that a sweep publishes only that: neither a close that was
    judged and left all as it was, nor a day that passed no limit."""
    if (before.state, before.body) != (after.state, after.body):
        return True
    if before.facts == after.facts:
        return False
    told, tells = told_of(before), told_of(after)
    return _aside(told) != _aside(tells) or moved(told.values, tells.values, asked)


def _aside(told: Told) -> Told:
    return msgspec.structs.replace(told, values={})


def gone(before: StoredView, now: int) -> StoredView:
    """All its subjects count for others now. The row stays, because versions never restart."""
    return msgspec.structs.replace(
        before, version=before.version + 1, state=GONE, changed_at=now,
        body=b"{}", facts=NOTHING_TOLD, owner=None, tier=None, name_ref=None,
    )  # fmt: skip


def change_of(whole: Whole, summary: Summary, said: Statement, alias_of: Callable[[str], str]) -> OutboxMessage:
    view = said.view
    change = ProfileChange(
        customer_id=view.customer_id, version=view.version, kind=view.kind, changed_at=view.changed_at,
        facts=summary.facts.values, missing=summary.facts.missing, not_covered=summary.facts.not_covered,
        unheard=summary.facts.unheard, moments=summary.moments,
        due=[Due(at=one.at, kind=one.kind, sources=list(one.sources)) for one in summary.due],
        aliases=sorted({alias_of(part.subject) for part in whole.parts} - {view.customer_id}),
        merged=sorted(alias_of(root) for root in whole.roots if root != whole.lead),
    )  # fmt: skip
    return change_message(change, said.written)


def change_of_gone(view: StoredView, cluster: Cluster, alias_of: Callable[[str], str]) -> OutboxMessage:
    return change_message(ProfileChange(
        customer_id=view.customer_id, version=view.version, kind=GONE, changed_at=view.changed_at,
        aliases=[alias_of(cluster.lead)] if cluster.lead != view.lead else [],
    ))  # fmt: skip
