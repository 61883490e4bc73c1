"""Reads all that a bank declares about its customers: what is counted, measured, judged, and the reference tables.
Called by a composition root, and by `reload` when files have changed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from schemas.catalogue import EventType
from services.declared_files import Directories, PolicyError, Texts, directories
from services.profile.adapters.catalogue_files import (
    ENTRIES,
    MEASURED,
    SERIES,
    load_measures,
    load_portfolio,
    load_scales,
    load_series,
    refuse_unknown,
)
from services.profile.adapters.reference_files import Refer, load_reference
from services.profile.domain.states.series import Declared
from services.profile.domain.value.policy import Policy

PRODUCT = Path(__file__).resolve().parent.parent
COUNTED = (SERIES, MEASURED)


class Declarations(NamedTuple):
    """`series` decides what is folded: a change of it is a rebuild. `policy` only what is made of the folded.
    `counted_by`: identifies what is folded and measured."""

    series: Declared
    policy: Policy
    counted_by: str


class Written(NamedTuple):
    """All that is declared, as it stood at one moment."""

    catalogue: Texts
    reference: Texts

    @property
    def own(self) -> frozenset[str]:
        return frozenset([*self.catalogue.own, *self.reference.own])

    def own_in_words(self) -> Iterator[str]:
        """The bank's files."""
        yield from self.catalogue.own_in_words()
        yield from self.reference.own_in_words()

    @property
    def counted_by(self) -> str:
        return self.catalogue.only(COUNTED).version

    @property
    def judged_by(self) -> str:
        """Of everything else."""
        judged = self.catalogue.only(self.catalogue.product.keys() - set(COUNTED))
        return f"{judged.version}{self.reference.version}"


class Files(NamedTuple):
    """Where it is declared. A bank's own files are laid over the `catalogue`, entry by entry, and take the place of
    those of the `reference`: its tables are its own, and nothing of the samples may stand between."""

    catalogue: Directories
    reference: Directories

    def stamp(self) -> tuple[object, ...]:
        return self.catalogue.stamp(), self.reference.stamp()

    def texts(self) -> Written:
        """Raises PolicyError for a file that cannot be read, and for one that nobody would read."""
        _see_that_all_are_read(self.catalogue)
        _see_that_all_are_read(self.reference, besides="calendar.")
        return Written(self.catalogue.texts(ENTRIES), self.reference.texts())

    def own_names(self) -> frozenset[str]:
        return self.catalogue.own_names() | self.reference.own_names()


def _see_that_all_are_read(files: Directories, besides: str = "\0") -> None:
    known = Directories(files.product).layers()
    for name in sorted(files.own_names() - known.keys()):
        if not name.startswith(besides):
            raise PolicyError(f"{name} is read by nobody in this directory, but {', '.join(known)}")


def files_of(catalogue: str = "", reference: str = "") -> Files:
    """Of a bank's own directories. Raises PolicyError when one is not there."""
    return Files(directories(PRODUCT / "catalogue", catalogue), directories(PRODUCT / "reference", reference))


def load_declarations(catalogue: str = "", reference: str = "", refer: Refer | None = None) -> Declarations:
    """`catalogue`, `reference`: a bank's own directories. `refer` gives the reference of a name (`personal.reference`
    with the platform's secret). Raises PolicyError."""
    return declarations_of(files_of(catalogue, reference).texts(), refer)


def declarations_of(
    written: Written, refer: Refer | None, types: Mapping[str, EventType] | None = None
) -> Declarations:
    """`types`: the event types that there are; where they are given, what counts another one is refused. Raises
    PolicyError."""
    declared, tables = written.catalogue, load_reference(written.reference, written.catalogue, refer)
    series = load_series(declared)
    if types is not None:
        refuse_unknown(declared, series, types)
    policy = Policy(
        reference=tables,
        scales=load_scales(declared, tables.home_currency),
        portfolio=load_portfolio(declared),
        measures=load_measures(declared, series),
        version=written.judged_by,
    )
    return Declarations(series, policy, written.counted_by)
