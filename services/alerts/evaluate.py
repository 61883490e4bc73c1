"""USE CASE: evaluates one batch of profile changes of each of several partitions in one transaction: what the rules say
of the customers becomes alerts."""

from collections.abc import Iterable, Sequence

from schemas.changes import GONE, ProfileChange
from schemas.codec import decode_change
from services.alerts.current import Current
from services.alerts.domain.expressions import Expressions
from services.alerts.evaluation import Evaluated, Evaluation
from services.alerts.ports import AlertStore
from services.clock import Clock
from services.log import Batch


class Evaluate:
    """Without `clock`, the time of the newest statement is the present: of a past that is lived through again."""

    def __init__(
        self, store: AlertStore, expressions: Expressions, current: Current, clock: Clock | None = None
    ) -> None:
        self._store, self._expressions, self._current, self._clock = store, expressions, current, clock

    async def apply(self, batches: Sequence[Batch]) -> Evaluated:
        """Takes at most one batch of each partition. Raises `Fenced`, `Contended` or `Unavailable`; nothing is written
        then."""
        changes = newest(decode_change(record.value) for batch in batches for record in batch.records)
        # two workers share no partition, and so no lane
        lane = f"changes-{min(batch.partition for batch in batches)}"
        async with self._store.working() as tx:
            await tx.advance([batch.move for batch in batches])
            evaluation = Evaluation(tx, self._expressions, self._current)
            await evaluation.lock(changes)
            for change in changes:
                await evaluation.evaluate(change)
            await evaluation.finish(lane, self._now(changes))
        self._learn(evaluation)
        done = evaluation.done
        done.skipped = sum(len(batch.records) for batch in batches) - done.statements
        return done

    def _now(self, changes: Iterable[ProfileChange]) -> int:
        """What comes to somebody comes now, however long its statement has waited."""
        told = max((one.changed_at for one in changes), default=0)
        return max(told, self._clock.now_ms()) if self._clock else told

    def _learn(self, evaluation: Evaluation) -> None:
        """What this worker goes on from at once; the others read it from the store."""
        self._current.bursts.count(evaluation.absences, evaluation.day)
        self._current.pause(self._current.terms.paused | evaluation.bursts.keys())
        for rule, why in evaluation.broken.items():
            self._current.stop_rule(rule, why)


def newest(changes: Iterable[ProfileChange]) -> list[ProfileChange]:
    """The newest statement of each customer says all that the older ones did. Only where one of two says that the
    customer is gone, both are kept."""
    found: dict[str, ProfileChange] = {}
    kept: list[ProfileChange] = []
    for change in changes:
        before = found.get(change.customer_id)
        if before is not None and before.version > change.version:
            continue
        if before is not None and GONE in (before.kind, change.kind):
            kept.append(before)
        found[change.customer_id] = change
    return [*kept, *found.values()]
