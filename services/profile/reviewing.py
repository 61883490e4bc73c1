"""Review cases as today's links make them: a case is stored once, and what made it may be gone since.

Without this a pair whose phone has become everybody's stays a case or not by the order in which that was told.
"""

from collections.abc import Mapping, Sequence

from services.profile.domain.identity.links import kind_of
from services.profile.domain.identity.memberships import Graph
from services.profile.domain.identity.reviews import TELLING, ReviewCase, review_cases
from services.profile.ports.reading import ProfileReader
from services.profile.ports.records import Decision

REVIEW = "review"


def review(case: ReviewCase, at: int) -> Decision:
    kind = kind_of(case.shared).replace("_", " ")
    return Decision(
        case.decision_id, REVIEW, (case.left, case.right), "linking", f"the same {kind} was told of both", at,
        body={"shared": case.shared},
    )  # fmt: skip


async def with_cases_of_now(
    reader: ProfileReader, decisions: Sequence[Decision], limits: Mapping[str, int]
) -> list[Decision]:
    """The decisions without the review cases whose two share nothing telling any more; the others by what is shared
    now."""
    parties = {party for one in decisions if one.kind == REVIEW for party in one.subjects}
    if not parties:
        return list(decisions)
    shared = {link.subject for link in await reader.links_to(sorted(parties)) if kind_of(link.subject) in TELLING}
    graph = Graph(await reader.links(sorted(shared)), limits)
    now = {case.decision_id: case for case in review_cases(shared, graph)}
    return [
        review(now[one.decision_id], one.at) if one.kind == REVIEW else one
        for one in decisions
        if one.kind != REVIEW or one.decision_id in now
    ]
