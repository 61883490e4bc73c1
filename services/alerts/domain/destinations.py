"""Where alerts go beside the inbox, as a bank declares it, and when each place may be spoken to. Secrets are never
written there: only the names of the environment variables that hold them."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from schemas.instants import DAY_MS, MINUTE_MS
from schemas.zone import Zone
from services.alerts.domain.rules import Kind, Language

DESTINATIONS = "destinations.yaml"
DestinationKind = Literal["webhook", "mail", "wecom", "dingtalk"]
Happening = Literal["opened", "routed", "raised", "reminded", "escalated", "withdrawn", "expired", "closed"]
"""What is told of an alert's life."""
EVERYTHING: tuple[Happening, ...] = get_args(Happening)
FOR_PEOPLE: tuple[Happening, ...] = ("routed", "raised", "reminded", "escalated")
"""What asks something of somebody. Systems hear how it ended, too."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_OPEN_SECRET = re.compile(r"(?:key|access_token)=(?!\$\{)|//[^/@$]*:(?!\$\{)[^/@]*@")
_ADDRESS = re.compile(r"[!-?A-~]+@[0-9A-Za-z.-]+")
_SCHEMES: Mapping[DestinationKind, tuple[str, ...]] = {
    "webhook": ("https", "http"), "mail": ("smtps", "smtp"), "wecom": ("https", "http"), "dingtalk": ("https", "http"),
}  # fmt: skip
_WITHOUT_TLS = ("http",)


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`url` may hold `${NAME}` of environment variables; `secret` is the name of one, which signs messages.

    `steps`: what it hears; without it a webhook hears everything, people what asks something of them.
    `people`: owner → mail address; `address` gets what belongs to anybody else. Empty `kinds` and `owners` mean all.
    `quiet`: local hours in which nothing is said, such as "20:00-08:00". `most_an_hour`: messages on one person, 0 any
    number. `digest_at`: one message a day and person, at that local time, instead of one for each step. `notices`: is
    also told of rules that are throttled, paused or stopped. `insecure`: may do without TLS; `networks`: may lie there
    although it is not public.
    """

    id: str
    kind: DestinationKind
    url: str
    secret: str = ""
    sender: str = ""
    address: str = ""
    people: dict[str, str] = {}
    steps: tuple[Happening, ...] | None = None
    kinds: tuple[Kind, ...] = ()
    severity_at_least: int = 1
    owners: tuple[str, ...] = ()
    language: Language = "en"
    zone: str = "Asia/Shanghai"
    quiet: str = ""
    most_an_hour: int = 0
    digest_at: str = ""
    notices: bool = False
    networks: tuple[str, ...] = ()
    insecure: bool = False
    enabled: bool = True

    @property
    def hears(self) -> tuple[Happening, ...]:
        if self.steps is not None:
            return self.steps
        return EVERYTHING if self.kind == "webhook" else FOR_PEOPLE


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`link`: where a person opens an alert, with `{alert_id}`; empty: none is shown."""

    destinations: tuple[Destination, ...] = ()
    link: str = ""


def without_addresses(declared: Declared) -> Declared:
    """To be kept: of a mail address the place, not the person."""
    return msgspec.structs.replace(declared, destinations=tuple(
        msgspec.structs.replace(
            one, address=_place(one.address), people={owner: _place(said) for owner, said in one.people.items()},
        )
        for one in declared.destinations
    ))  # fmt: skip


def _place(address: str) -> str:
    return f"…@{address.rpartition('@')[2]}" if address else ""


def wants(destination: Destination, kind: str, severity: int, owner: str, happening: Happening) -> str | None:
    """Who is told there: the owner of the alert, or the address of a mail; None for nobody."""
    if happening not in destination.hears or severity < destination.severity_at_least:
        return None
    return _person(destination, owner) if kind in destination.kinds or not destination.kinds else None


def wants_notice(destination: Destination, owner: str) -> str | None:
    """As `wants`. `owner`: who answers for the rule, empty where nobody is named."""
    return _person(destination, owner) if destination.notices else None


def _person(destination: Destination, owner: str) -> str | None:
    if not destination.enabled or (destination.owners and owner not in destination.owners):
        return None
    if destination.kind != "mail":
        return owner
    return destination.people.get(owner, destination.address) or None


def quiet_until(destination: Destination, now: int) -> int:
    """The end of its quiet hours (ms) where `now` lies in them, else 0."""
    if not destination.quiet:
        return 0
    opens, closes = (_minutes(text) for text in destination.quiet.split("-"))
    minute = (now + Zone(destination.zone).offset(now)) % DAY_MS // MINUTE_MS
    inside = opens <= minute < closes if opens < closes else minute >= opens or minute < closes
    return next_at(closes, destination.zone, now) if inside else 0


def digest_due(destination: Destination, now: int) -> int:
    """When what happens now is told: at once, or with the next digest (ms)."""
    return next_at(_minutes(destination.digest_at), destination.zone, now) if destination.digest_at else now


def next_at(minute: int, zone: str, now: int) -> int:
    """The next time, after now, at which a clock in the zone shows that minute of the day (ms), or jumps over it."""
    place = Zone(zone)
    local = now + place.offset(now)
    wanted = local - local % DAY_MS + minute * MINUTE_MS
    if wanted <= local:
        return place.instant(wanted + DAY_MS)
    at = place.instant(wanted)
    return at if at > now else now + wanted - local  # clocks were set back: it is shown once more


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def variables(destination: Destination) -> set[str]:
    """Names of the environment variables that it needs."""
    return {*_VARIABLE.findall(destination.url), *([destination.secret] if destination.secret else [])}


def url_with(destination: Destination, values: Mapping[str, str]) -> str:
    """The URL with what the environment holds. Raises KeyError naming the variable."""
    return _VARIABLE.sub(lambda found: values[found[1]], destination.url)


def mistakes(destination: Destination) -> Iterator[tuple[str, str]]:
    """Field and what is wrong with it."""
    if not _ID.fullmatch(destination.id):
        yield "id", "small letters, digits, - and _ are expected, such as crm-webhook"
    yield from _wrong_address(destination)
    yield from _wrong_times(destination)
    if destination.secret and not _NAME.fullmatch(destination.secret):
        yield "secret", "the name of an environment variable is expected, never the secret itself"
    if destination.kind == "webhook" and not destination.secret:
        yield "secret", "a webhook is signed: name the environment variable that holds its `whsec_...`"
    if not destination.hears and not destination.notices:
        yield "steps", "one or more are expected"
    if destination.notices and destination.digest_at:
        yield "notices", "a digest tells of alerts alone: declare a destination of its own"
    if destination.most_an_hour < 0:
        yield "most_an_hour", "0 (any number) or more is expected"
    if destination.digest_at and destination.kind == "webhook":
        yield "digest_at", "a digest is for people: a webhook tells each step"


def _wrong_address(destination: Destination) -> Iterator[tuple[str, str]]:
    scheme = destination.url.partition("://")[0]
    schemes = _SCHEMES[destination.kind]
    if scheme not in schemes:
        yield "url", f"{' or '.join(f'{one}://' for one in schemes)} is expected for {destination.kind}"
    elif scheme in _WITHOUT_TLS and not destination.insecure:
        yield "url", f"{scheme}:// sends everything in clear: use {schemes[0]}://, or say `insecure: true`"
    if not all(map(_is_network, destination.networks)):
        yield "networks", "networks are expected, such as 10.1.2.0/24"
    if _OPEN_SECRET.search(destination.url):
        yield "url", "holds a secret: keep it in an environment variable and write ${NAME} in its place"
    if destination.kind == "mail":
        if not destination.address and not destination.people:
            yield "address", "a mail goes to `address`, or to the owner's address among `people`"
        for owner, address in {"": destination.address, **destination.people}.items():
            if address and not _is_address(address):
                yield f"people.{owner}" if owner else "address", "an address such as wang.lei@bank.example is expected"
        if not _is_address(destination.sender):
            yield "sender", "the address from which it is sent is expected"


def _is_address(text: str) -> bool:
    """One, with a name beside it or not, that every relay takes: letters beyond ASCII ask for more (RFC 6531)."""
    return text.isprintable() and _ADDRESS.fullmatch(parseaddr(text)[1]) is not None


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _wrong_times(destination: Destination) -> Iterator[tuple[str, str]]:
    try:
        ZoneInfo(destination.zone)
    except (KeyError, ValueError, OSError):
        yield "zone", "a time zone is expected, such as Asia/Shanghai"
    if destination.digest_at and not _TIME.fullmatch(destination.digest_at):
        yield "digest_at", "a time of the day is expected, such as 08:30"
    hours = destination.quiet.split("-") if destination.quiet else []
    if hours and (len(hours) != 2 or hours[0] == hours[1] or not all(_TIME.fullmatch(one) for one in hours)):
        yield "quiet", "hours are expected, such as 20:00-08:00"
