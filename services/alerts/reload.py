"""Rules are read again when their files or switches have changed. A bad file never replaces a good one, and does not
keep a person from switching a rule."""

from collections.abc import Mapping, Sequence

import msgspec
import structlog

from services.alerts.adapters.cel import Cel
from services.alerts.adapters.desk_files import DESK, LABELS
from services.alerts.adapters.reading import Mistake
from services.alerts.adapters.rule_files import Loaded, load_rules, switched
from services.alerts.current import Current
from services.alerts.domain.compiled import Known
from services.alerts.domain.editions import Edition, Signatures, Signed
from services.alerts.learn import heed
from services.alerts.ports import AlertStore, RuleSwitch
from services.alerts.record import record
from services.attempts import again_when_contended
from services.declared_files import Directories

log = structlog.get_logger(__name__)


class Reload:
    def __init__(self, files: Directories, known: Known, store: AlertStore, expressions: Cel) -> None:
        self._files, self._known, self._store, self._expressions = files, known, store, expressions
        self._seen: tuple[object, ...] = ()
        self._switches: Mapping[str, RuleSwitch] = {}
        self._stands: Loaded | None = None
        self._unwritten: Loaded | None = None

    async def load(self) -> Loaded | None:
        """The rules from now on; None where nothing has changed. At the first load rules with a mistake are left out.
        Raises `Unavailable`."""
        switches = {one.rule: one for one in await self._store.switches()}
        seen = (self._files.stamp(), tuple(sorted(switches.items())))
        if seen == self._seen:
            return None
        had, self._seen, self._switches = self._switches, seen, switches
        loaded = load_rules(self._files, self._known, self._expressions, switches)
        _tell(loaded.mistakes, "rule left out" if self._stands is None else "a mistake: the rules before it stay")
        if loaded.mistakes and self._stands is not None:
            if switches == had:
                return None
            loaded = switched(self._stands, switches)
        self._stands = loaded
        return loaded

    async def into(self, current: Current, now: int) -> None:
        """Raises `Contended`, `Unavailable`; what could not be written down is tried again at the next call."""
        await heed(self._store, current)
        loaded = await self.load()
        self._unwritten = loaded or self._unwritten
        if (new := self._unwritten) is not None:
            if not new.mistakes:
                current.written_down(await self.write_down(new, now))
            current.take(new.rule_set, new.desk)
            self._unwritten = None

    async def write_down(self, loaded: Loaded, now: int) -> Sequence[Edition]:
        """Records what has changed of rules, desk and labels. Returns the newest edition of each. Raises `Contended`,
        `Unavailable`."""
        switches = {rule: Signed(said.actor, said.note) for rule, said in self._switches.items()}
        signatures = Signatures(loaded.files, loaded.authors, loaded.keeper, switches)
        desk, labels = msgspec.to_builtins((loaded.desk, loaded.rule_set.labels))
        files = {name: said for name, said in ((DESK, desk), (LABELS, {"labels": labels})) if name in loaded.authors}
        return await again_when_contended(lambda: record(self._store, loaded.rule_set, signatures, now, files))


def _tell(mistakes: Sequence[Mistake], what: str) -> None:
    for mistake in mistakes:
        log.error(what, mistake=str(mistake))
