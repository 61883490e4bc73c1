"""Reference tables, scales of value and the portfolio are read again when a bank has replaced their files. A bad file
never replaces a good one, and one that is being written waits until it stands still. What is counted and measured is
taken at the start alone: states hold the one, and rules and readers know the other by name."""

import asyncio

import msgspec
import structlog

from schemas.asked import Asked
from services import metrics as measure
from services.declared_files import PolicyError
from services.failures import trace_of
from services.metrics import Metrics
from services.profile.adapters.policies import Declarations, Files, Written, declarations_of
from services.profile.adapters.reference_files import Refer
from services.profile.domain.value.policy import Policy

LOOK_S = 3.0
"""A file is taken once it has stood still from one look to the next."""
log = structlog.get_logger(__name__)


class CurrentPolicy:
    """What views are made by now. It is replaced as a whole: who asks once works with one policy."""

    def __init__(self, declared: Policy) -> None:
        self._now = declared

    def __call__(self) -> Policy:
        return self._now

    def is_working_day(self, day: int) -> bool:
        return self._now.reference.is_working_day(day)

    def ask(self, asked: Asked) -> None:
        self._now = msgspec.structs.replace(self._now, asked=asked)

    def take(self, declared: Policy) -> None:
        """All of it but what is measured, and what rules ask."""
        kept = {"measures": self._now.measures, "asked": self._now.asked}
        self._now = msgspec.structs.replace(declared, **kept)


class Reload:
    """`refer`: see `load_reference`. `begun`: what the process began with."""

    def __init__(
        self, files: Files, refer: Refer, begun: Declarations, current: CurrentPolicy, metrics: Metrics
    ) -> None:
        self._files, self._refer, self._current, self._metrics = files, refer, current, metrics
        self._counted_by = begun.counted_by
        self._waits_as: object = None
        self._seen_as: object = None
        self._own = files.own_names()

    async def look(self) -> None:
        """To be called every `LOOK_S`."""
        try:
            found = await asyncio.to_thread(self._changed)
        except PolicyError as error:
            self._refuse(str(error))
        except Exception as bug:  # of ours, on a file that nobody foresaw: the bank goes on without it
            self._refuse(trace_of(bug))
        else:
            if found is not None:
                self._current.take(found)
                self._metrics.add(measure.DECLARATIONS_READ, 1, "taken")
                log.info("declarations loaded", version=found.version)

    def _refuse(self, mistake: str) -> None:
        self._metrics.add(measure.DECLARATIONS_READ, 1, "refused")
        log.error("declarations have a mistake: those before stay", mistake=mistake)

    def _changed(self) -> Policy | None:
        """Where the files are others than those in use. Each content is judged once. Raises PolicyError."""
        stamp = self._files.stamp()
        if stamp == self._seen_as:
            return None
        stood_still, self._waits_as = stamp == self._waits_as, stamp
        if not stood_still:
            return None
        self._seen_as = stamp
        texts = self._files.texts()
        if self._files.stamp() != stamp:
            return None
        if texts.counted_by != self._counted_by:
            self._counted_by = texts.counted_by
            log.warning("what is counted or measured has changed: that takes effect at the next start")
        if texts.judged_by == self._current().version:
            return None
        return self._judged(texts)

    def _judged(self, texts: Written) -> Policy:
        gone = sorted(self._own - texts.own)
        if gone:
            raise PolicyError(f"{gone[0]} is gone: put it back; at the next start the product's own takes its place")
        policy = declarations_of(texts, self._refer).policy
        if policy.reference.home_currency != self._current().reference.home_currency:
            message = "another one takes effect at the next start, since values are declared in it"
            raise texts.reference.wrong("bank.yaml", message, "home_currency")
        self._own = texts.own
        return policy
