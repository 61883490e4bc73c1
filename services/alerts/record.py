"""USE CASE: after rules were read again, records which of them have changed and who changed them."""

from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.editions import Edition, Signatures, since
from services.alerts.ports import AlertStore


async def record(store: AlertStore, rules: RuleSet, signatures: Signatures, now: int) -> list[Edition]:
    """Of several workers that read the same files, one records. Returns the newest edition of each rule. Raises
    `Contended`, `Unavailable`."""
    async with store.working() as tx:
        stood = await tx.editions()
        news = since(stood, rules, signatures, now)
        if news:
            await tx.record(news)
    return list({one.rule: one for one in (*stood, *news)}.values())
