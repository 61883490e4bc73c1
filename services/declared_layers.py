"""A bank's own file laid over the product's of the same name: keys one by one, and entries of a list by their names.
What the bank does not say stays the product's, with every correction that a release brings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NamedBy = Mapping[str, str]
"""The field that names an entry, of each list whose entries have names: by the key under which the list stands, or by
the file that is one list. Any other list is one value."""


def laid_over(product: Any, own: Any, named_by: NamedBy, key: str) -> Any:
    """`key`: under which both stand, or the file. Entries of `own` are the same objects in the result."""
    if isinstance(product, dict) and isinstance(own, dict):
        return product | {
            one: laid_over(product[one], value, named_by, one) if one in product else value
            for one, value in own.items()
        }
    if key in named_by and isinstance(product, list) and isinstance(own, list):
        return _by_name(product, own, named_by[key])
    return own


def _by_name(product: Sequence[Any], own: Sequence[Any], field: str) -> list[Any]:
    """An entry stands where those that it replaces stood: an order may mean something."""
    known = [_name(entry, field) for entry in product]
    laid: list[Any] = []
    for place, name in enumerate(known):
        instead = [entry for entry in own if _name(entry, field) == name]
        if not instead:
            laid.append(product[place])
        elif name not in known[:place]:
            laid += instead
    return laid + [entry for entry in own if _name(entry, field) not in known]


def _name(entry: Any, field: str) -> Any:
    return entry.get(field) if isinstance(entry, dict) else None


def changes(product: Any, own: Any, named_by: NamedBy, key: str) -> Iterator[tuple[str, bool]]:
    """What `own` says, as dotted names, and whether it takes the place of something."""
    if isinstance(product, dict) and isinstance(own, dict):
        for one, told in own.items():
            inner = changes(product[one], told, named_by, one) if one in product else [("", False)]
            yield from ((".".join(filter(None, (str(one), name))), replaces) for name, replaces in inner)
    elif key in named_by and isinstance(product, list) and isinstance(own, list):
        known, told = ([_name(entry, named_by[key]) for entry in entries] for entries in (product, own))
        yield from ((str(name), name in known) for name in dict.fromkeys(told))
    else:
        yield "", True


def traced(laid: Any, own: Any, steps: Sequence[object], named_by: NamedBy, key: str) -> tuple[list[object], list[str]]:
    """`steps` from the top of what was laid, as far as `own` has them; and all of them for people, entries by their
    names."""
    mine: list[object] = []
    told: list[str] = []
    for step in steps:
        inner = _inner(laid, step)
        at = _same(own, inner, step) if len(mine) == len(told) else None
        if at is not None:
            mine.append(at)
            own = own[at]
        named = _name(inner, named_by[key]) if isinstance(laid, list) and key in named_by else None
        told.append(str(next(one for one in (named, at, step) if one is not None)))
        laid, key = inner, str(step)
    return mine, told


def _inner(laid: Any, step: object) -> Any:
    """None where there is no such thing: it may be missing, and the mistake that."""
    if isinstance(laid, dict):
        return laid.get(step)
    return laid[step] if isinstance(laid, list) and isinstance(step, int) and step < len(laid) else None


def _same(own: Any, inner: Any, step: object) -> Any:
    """Where in `own` that stands which was laid."""
    if isinstance(own, list):
        return next((place for place, entry in enumerate(own) if entry is inner and inner is not None), None)
    return step if isinstance(own, dict) and step in own else None
