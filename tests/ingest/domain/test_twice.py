"""A key that stands twice in one object is found, whatever the event holds and however it is written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.failures import Rejected
from services.ingest.domain.form import RawEvent
from services.ingest.domain.raw import parse
from services.ingest.domain.split import split_json
from tests.ingest.bank import NAMING

Pairs = list[tuple[str, Any]]
TEXT = st.text('ab":,{}[]\\é王', max_size=6)
NUMBER = st.integers(-(2**53), 2**53)
MONEY = st.fixed_dictionaries({"value": TEXT | NUMBER}, optional={"currency": TEXT | st.none()})
PARTS = {
    "id": TEXT, "sequence": NUMBER, "channel": TEXT, "amount": MONEY, "direction": TEXT, "balance_after": MONEY,
    "counterparty": st.dictionaries(st.sampled_from(["name", "account_no", "bank", "kind"]), TEXT | st.none()),
    "identifiers": st.dictionaries(TEXT, TEXT, max_size=3), "actor": st.dictionaries(TEXT, TEXT, max_size=2),
    "product": TEXT, "correlation_id": TEXT,
    "attributes": st.dictionaries(TEXT, st.recursive(
        st.none() | st.booleans() | NUMBER | st.floats(-1e9, 1e9) | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6,
    ), max_size=4),
}  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {"type": TEXT, "occurred_at": st.sampled_from(["2026-11-22T09:30:00+08:00", "2026-11-22T01:30:00Z"])},
    optional={name: part | st.none() if name != "identifiers" else part for name, part in PARTS.items()},
)
SPACES = st.sampled_from(["", " ", "\n\t", "  "])


def objects(value: Any) -> list[dict[str, Any]]:
    """It and all within."""
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [one for part in within for one in objects(part)]
    return [value, *found] if isinstance(value, dict) else found


def written(value: Any, draw: st.DrawFn, doubled: dict[str, Any] | None = None) -> str:
    """`doubled`: the object of which one key is written once more."""
    if isinstance(value, list):
        return "[" + ",".join(written(one, draw, doubled) for one in value) + "]"
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    pairs: Pairs = list(value.items())
    if value is doubled:
        again = draw(st.sampled_from(pairs))
        pairs.insert(draw(st.integers(0, len(pairs))), again)
    space = draw(SPACES)
    return (
        "{" + ",".join(f"{json.dumps(name)}{space}:{space}{written(one, draw, doubled)}" for name, one in pairs) + "}"
    )


@st.composite
def sent(draw: st.DrawFn, with_one_twice: bool) -> bytes:
    event = draw(EVENTS)
    some = [one for one in objects(event) if one]
    return written(event, draw, draw(st.sampled_from(some)) if with_one_twice else None).encode()


@given(sent(with_one_twice=True))
def test_a_key_that_stands_twice_is_always_refused(body: bytes) -> None:
    (found,) = parse([body], len(body), NAMING.key)
    assert isinstance(found, Rejected)
    assert found.reason == "duplicate_field"


@given(sent(with_one_twice=False))
def test_an_event_with_each_key_once_is_never_taken_for_another(body: bytes) -> None:
    (found,) = parse([body], len(body), NAMING.key)
    assert isinstance(found, RawEvent)


@given(st.lists(sent(with_one_twice=True) | sent(with_one_twice=False), max_size=5))
def test_of_events_together_each_is_judged_as_if_it_came_alone(bodies: list[bytes]) -> None:
    together = parse(bodies, 10_000, NAMING.key)
    alone = [parse([body], 10_000, NAMING.key)[0] for body in bodies]
    assert [isinstance(one, Rejected) for one in together] == [isinstance(one, Rejected) for one in alone]


@given(st.lists(EVENTS, max_size=3), st.lists(EVENTS, max_size=3), SPACES)
def test_two_lists_of_events_in_one_body_are_refused_and_one_is_taken_whole(
    first: list[dict[str, Any]], second: list[dict[str, Any]], space: str
) -> None:
    one, other = json.dumps(first), json.dumps(second)
    taken = split_json(f'{{{space}"events":{space}{one}{space}}}'.encode())
    assert [json.loads(bytes(event)) for event in taken] == first
    with pytest.raises(Rejected, match="twice"):
        split_json(f'{{"events":{one},{space}"events":{space}{other}}}'.encode())


def test_what_cannot_be_held_costs_its_own_event_and_not_those_beside_it() -> None:
    deep, beside = "[" * 2_000 + "]" * 2_000, '{"a": "x, [y}"}'
    for bad in ('{"a": NaN}', '{"a": "\\ud800"}', f'{{"a": {deep}}}', f'{{"a": NaN, "b": {deep}}}'):
        taken = split_json(f'{{"events": [{beside}, {bad} ,{beside}]}}'.encode())
        assert [bytes(one).decode() for one in taken] == [beside, bad, beside]


@pytest.mark.parametrize(
    "body",
    [
        '{"events": NaN}',
        '{"events": {"a": NaN}}',
        '{"events": [NaN], "more": 1}',
        '{"events": [{"a": NaN}',
        '{"events": [NaN] x}',
        '{"events": [' + "[" * 2_000,
    ],
)
def test_a_body_that_is_no_batch_is_refused_whole_whatever_cannot_be_held_in_it(body: str) -> None:
    with pytest.raises(Rejected) as refused:
        split_json(body.encode())
    assert refused.value.reason == "malformed"
