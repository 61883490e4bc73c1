"""USE CASE: rules were read anew: which are others than before is written down, with who made them so."""

from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.editions import Signatures, since
from services.alerts.ports import AlertStore


async def record(store: AlertStore, rules: RuleSet, signatures: Signatures, now: int) -> None:
    """Of several workers that read the same files one writes. Raises `Contended`, `Unavailable`."""
    async with store.working() as tx:
        news = since(await tx.editions(), rules, signatures, now)
        if news:
            await tx.record(news)
