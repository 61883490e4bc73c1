"""Records as a property test needs them: everything that the structs allow."""

import msgspec
from hypothesis import strategies as st

from schemas.alerts import Alert, Evidence, Outcome, RuleReference, Step, Text
from schemas.changes import Due, Moment, ProfileChange
from schemas.dead_letters import DeadLetter, Place
from schemas.events import ChannelEvent, Counterparty, Money

int64 = st.integers(-(2**63), 2**63 - 1)
int32 = st.integers(-(2**31), 2**31 - 1)
words = st.text(min_size=1, max_size=20)
facts = st.dictionaries(words, st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.text(), max_size=5)
names = st.lists(words, max_size=4)
money = st.builds(Money, int64, st.sampled_from(["CNY", "JPY", "KWD"]))
events = st.builds(
    ChannelEvent,
    id=words,
    type=words,
    source=words,
    channel=words,
    subject=words,
    occurred_at=int64,
    accepted_at=int64,
    identifiers=st.dictionaries(words, st.text(), max_size=4),
    of_record=st.booleans(),
    sequence=st.none() | int64,
    actor=st.none() | words,
    amount=st.none() | money,
    direction=st.sampled_from([None, "credit", "debit"]),
    balance_after=st.none() | money,
    counterparty=st.none() | st.builds(Counterparty, st.text(), st.text(), st.text(), st.text()),
    product=st.none() | words,
    correlation_id=st.none() | words,
    attributes=st.dictionaries(words, st.text() | st.booleans(), max_size=4).map(msgspec.json.encode),
)
changes = st.builds(
    ProfileChange,
    customer_id=words,
    version=int64,
    kind=words,
    changed_at=int64,
    facts=facts,
    missing=names,
    not_covered=names,
    unheard=names,
    moments=st.lists(
        st.builds(Moment, moment_id=words, kind=words, occurred_at=int64, event_id=words, values=facts), max_size=3
    ),
    due=st.lists(st.builds(Due, at=int64, kind=words, sources=names), max_size=3),
    aliases=names,
    merged=names,
)
texts = st.builds(Text, st.text(), st.text())
alerts = st.builds(
    Alert,
    alert_id=words,
    revision=int64,
    customer_id=words,
    kind=words,
    situation=words,
    severity=int32,
    title=texts,
    reason=texts,
    state=words,
    opened_at=int64,
    owner=st.text(),
    due_at=int64,
    grade=st.text(),
    claimed_by=st.text(),
    waiting=st.text(),
    outcome=st.none() | st.builds(Outcome, result=words, reason=st.text(), amount_minor=int64),
    suggested=texts,
    rules=st.lists(st.builds(RuleReference, id=words, version=int32), max_size=3),
    evidence=st.lists(
        st.builds(Evidence, rule_id=words, occurred_at=int64, text=texts, values=facts, ended_at=int64), max_size=3
    ),
    history=st.lists(st.builds(Step, at=int64, actor=words, action=words, state=words, note=st.text()), max_size=3),
)
dead_letters = st.builds(
    DeadLetter,
    id=words,
    stage=words,
    source=words,
    reason=words,
    message=st.text(),
    body=st.binary(),
    length=int64,
    sha256=words,
    at=int64,
    field=st.text(),
    event_id=st.text(),
    place=st.none() | st.builds(Place, words, int32, int64),
)
