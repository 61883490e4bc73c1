"""States as the property tests compare them."""

from collections.abc import Iterable
from functools import reduce

import msgspec

from services.profile.domain.states.combine import combine
from services.profile.domain.states.state import State, any_of

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def canonical_bytes(state: State) -> bytes:
    """The same bytes for the same set of events, whatever their order and grouping. Empty months are left out."""
    told = State(state.head, {number: month for number, month in state.months.items() if any_of(month)})
    return _encode(msgspec.to_builtins(told, str_keys=True))  # keys in one order must be strings


def combine_all(states: Iterable[State]) -> State:
    return reduce(combine, states, State())
