"""`rebuild`: folds anew what an older release has folded. Workers go on meanwhile."""

import asyncio
import time
from typing import Annotated

import typer

from services.cli.beside import Beside, Data, Json, in_deployment
from services.cli.declared import declared_fold
from services.cli.output import counted, progress, tell
from services.profile.rebuild import Rebuilt, rebuild


def rebuild_states(
    rate: Annotated[int, typer.Option(min=0, help="At most this many subjects per second; 0: no limit.")] = 0,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fold again every state that was folded by an older release. If interrupted, it resumes where it stopped."""
    done, version = in_deployment(data, lambda beside: _rebuild(beside, rate))
    told = f"nothing to do: no state is of an older fold than this release's, version {version}"
    if done:
        subjects = counted(done, "subject is", "subjects are")
        told = f"{subjects} folded anew, by fold version {version}; a worker refreshes their customers"
    tell({"subjects": done, "fold_version": version}, told, as_json=as_json)


async def _rebuild(beside: Beside, rate: int) -> tuple[int, int]:
    fold, started = declared_fold(), time.monotonic()
    if not await beside.store.count_behind(fold.version, 1):
        return 0, fold.version
    with progress("subjects") as bar:
        task = bar.add_task("Folding anew", total=None, rate="")

        def show(now: Rebuilt) -> None:
            speed = now.done / max(time.monotonic() - started, 1e-9)
            bar.update(task, completed=now.done, total=now.done + now.waiting, rate=f"{speed:,.0f}/s")

        async def pause(folded: int) -> None:
            await asyncio.sleep(folded / rate if rate else 0)

        return await rebuild(beside.store, fold, show, pause), fold.version
