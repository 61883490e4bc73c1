"""USE CASE: writes down how rules, and the files beside them, have changed. Of several workers that read the same
files, one records."""

from collections.abc import Mapping

from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.editions import NO_FILES, Edition, Settings, Signatures, new_editions, new_settings
from services.alerts.ports import AlertStore


async def record(
    store: AlertStore, rules: RuleSet, signatures: Signatures, now: int, files: Mapping[str, Settings] = NO_FILES
) -> list[Edition]:
    """`files`: without rules. Returns the newest edition of each rule and file. Raises `Contended`, `Unavailable`."""
    async with store.working() as tx:
        stood = await tx.editions()
        news = [
            *new_editions(stood, rules, signatures, now),
            *new_settings(stood, files, signatures.authors, rules.version, now),
        ]
        if news:
            await tx.record(news)
    return list({one.name: one for one in (*stood, *news)}.values())


async def record_file(store: AlertStore, file: str, settings: Settings, author: str, now: int) -> None:
    """Of a file that is read beside the rules. Raises `Contended`, `Unavailable`."""
    async with store.working() as tx:
        if news := new_settings(await tx.editions(), {file: settings}, {file: author}, "", now):
            await tx.record(news)
