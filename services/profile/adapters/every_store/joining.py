"""Joins asserted links into stored ones: what to write, and what it changes."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.profile.domain.identity.links import ANY_ROLE, Link, intervals, join

LinkKey = tuple[str, str, str]


class Joined(NamedTuple):
    """`written`: what differs from what is stored. `changed`: those of them that hold at other times than before."""

    written: list[Link]
    changed: list[Link]


def join_links(stored: Mapping[LinkKey, Link], asserted: Iterable[Link]) -> Joined:
    """`stored` has every role between the subjects and targets that `asserted` names."""
    after = dict(stored)
    for link in asserted:
        known = after.get(link.key)
        after[link.key] = link if known is None else join(known, link)
    written = [after[key] for key in sorted(after) if after[key] != stored.get(key)]
    return Joined(written, [link for link in written if _held(link, after) != _held(stored.get(link.key), stored)])


def _held(link: Link | None, links: Mapping[LinkKey, Link]) -> object:
    """When a link holds; for one that ends others, when it ends them."""
    if link is None:
        return None
    if link.role == ANY_ROLE:
        return link.ends
    ending = links.get((link.subject, link.target, ANY_ROLE))
    return intervals(link, ending.ends if ending else ())
