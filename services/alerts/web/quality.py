"""How often rules are right, which of them are out of order, and how they have changed."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from schemas.instants import instant
from services.alerts.domain.destinations import DESTINATIONS
from services.alerts.domain.learning import PARTS, tallies
from services.alerts.domain.notices import Notice, in_force, sentence, to_do
from services.alerts.domain.rules import Language
from services.alerts.web.backend import Injected
from services.alerts.web.documents import answers
from services.alerts.web.filters import known
from services.alerts.web.language import Reading, told_in
from services.alerts.web.rule_documents import (
    EditionList,
    EditionShown,
    NoticeList,
    NoticeShown,
    PrecisionList,
    PrecisionShown,
)
from services.web.guard import ROLE

MANAGER: dict[str, Any] = {ROLE: "manager"}
By = Annotated[list[str] | None, QueryParameter(description=f"Of {', '.join(PARTS)}, by commas; `rule` if not said")]
Of = Annotated[str | None, QueryParameter(description="Only of the rule of this id, or of a file such as desk.yaml")]
OfRule = Annotated[str | None, QueryParameter(description="Only of the rule of this id")]


@get("/v1/rules/precision", opt=MANAGER, responses=answers())
async def show_precision(backend: Injected, by: By = None, rule: OfRule = None) -> PrecisionList:
    """What people made of the alerts, by rule, branch and owner, or any of these together."""
    asked = known("by", by, PARTS) or ("rule",)
    parts = [part for part in PARTS if part in asked]
    learned = await backend.store.learned(parts, rule)
    return PrecisionList(outcomes=[
        PrecisionShown(closed=tally.closed, not_relevant=tally.not_relevant, relevant=round(tally.relevant, 4),
                       **dict(zip(parts, key, strict=True)))
        for key, tally in tallies(learned, parts).items()
    ])  # fmt: skip


@get("/v1/rules/history", responses=answers())
async def show_history(
    backend: Injected, rule: Of = None, limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50
) -> EditionList:
    """How rules, the desk, labels and destinations have changed, and who changed them: the rule behind an old alert can
    be read as it was."""
    return EditionList(editions=[
        EditionShown(
            rule=one.rule or None, version=one.declared.version if one.declared else None, change=one.change,
            at=instant(one.at), actor=one.actor, note=one.note, rule_set=one.rule_set, file=one.file,
            declared=one.declared, settings=None if one.file == DESTINATIONS else one.settings,
        )
        for one in await backend.store.editions(rule, limit)
    ])  # fmt: skip


@get("/v1/notices", opt=MANAGER, responses=answers())
async def list_notices(
    backend: Injected, language: Reading, limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50
) -> Response[NoticeList]:
    """Notices to those who answer for rules: that one is throttled, paused or stopped, and when that has ended."""
    standing = in_force(await backend.store.notices()).values()
    recent = await backend.store.recent_notices(0, limit)
    told = NoticeList(
        standing=[_notice(one, language) for one in standing], recent=[_notice(one, language) for one in recent]
    )
    return Response(told, headers=told_in(language))


def _notice(told: Notice, language: Language) -> NoticeShown:
    return NoticeShown(
        rule=told.rule, matter=told.matter, began=told.began, at=instant(told.at), actor=told.actor,
        owner=told.owner or None, seen=told.seen, among=told.among, note=told.note, said=sentence(told, language),
        to_do=to_do(told, language),
    )  # fmt: skip
