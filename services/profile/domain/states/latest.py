"""The newest candidates of a kind. A candidate and its tombstone take one place."""

from services.profile.domain.states.state import LATEST_KEPT, Candidate


def join_latest(left: list[Candidate], right: list[Candidate]) -> list[Candidate]:
    """The newest `LATEST_KEPT` by (at, event id); a tombstone and its event are one place."""
    places: dict[tuple[int, str], Candidate] = {}
    for candidate in (*left, *right):
        place = (candidate.at, candidate.event_id)
        known = places.get(place)
        places[place] = candidate if known is None else _join_candidates(known, candidate)
    return [places[place] for place in sorted(places)[-LATEST_KEPT:]]


def _join_candidates(left: Candidate, right: Candidate) -> Candidate:
    # A tombstone has no values. Two sources used one id in one instant: either may stand, as long as it is always the
    # same one.
    values = max(left.values, right.values, key=lambda told: sorted(map(repr, told.items())))
    taken_back = left.taken_back + right.taken_back
    return Candidate(left.at, left.event_id, values, left.cancelled or right.cancelled, taken_back)
