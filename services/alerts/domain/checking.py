"""What is wrong with a rule, told with the place and, where there is one, the nearest name that exists."""

import re
from collections.abc import Iterable, Iterator
from math import isfinite
from zoneinfo import available_timezones

from schemas.catalogue import CHANNELS
from services.alerts.domain.comparing import TIERS, never_equal
from services.alerts.domain.compiled import FIELD, Known, Rule, named_in, texts
from services.alerts.domain.expressions import Expressions
from services.alerts.domain.routing import QUEUE
from services.alerts.domain.rules import LEAST_SEVERE, MAX_COOLDOWN_DAYS, MOST_SEVERE, Desk, RuleDeclared, Text
from services.alerts.domain.sampling import wrong_type
from services.alerts.domain.wording import NAMED
from services.expected import nearest, unfit

_ID = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
_OWNER = re.compile(rf"(?!{QUEUE}$)\S{{1,100}}")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_MOST = {"version": 1_000_000, "respond_within_hours": 2_000, "expires_after_days": 400}
MAX_TEXT = 2_000
MAX_CONDITIONS = 40
_WIDE = {"\uff5b": "{", "\uff5d": "}", "\uff5c": "|", "\uff3b": "[", "\uff3d": "]"}


def check(rule: Rule, known: Known, expressions: Expressions) -> Iterator[tuple[str, str]]:
    """Every mistake, so that one reading mends them all: field of the rule, and what to write instead."""
    yield from _wrong_form(rule.declared)
    yield from _wrong_guard(rule.declared)
    yield from _unknown(rule, known)
    yield from _wrong_texts(rule.declared, known)
    yield from _wrong_types(rule, known, expressions)
    yield from _wrong_severity(rule)


def _wrong_form(declared: RuleDeclared) -> Iterator[tuple[str, str]]:
    if not _ID.fullmatch(declared.id):
        yield "id", "capitals, digits, - and _ are expected, such as R4"
    if not declared.about:
        yield "about", "at least one kind of customer is expected"
    if bool(declared.when) == bool(declared.when_any):
        yield "when", "either `when` (all must hold) or `when_any` (one is enough) is expected"
    if len(declared.when or declared.when_any) > MAX_CONDITIONS:
        yield "when", f"at most {MAX_CONDITIONS} conditions are taken: ask for a fact instead"
    if declared.situation is None and declared.kind != "guard":
        yield "situation", "only a guard may go without: an alert needs one"
    if not 0 <= declared.cooldown_days <= MAX_COOLDOWN_DAYS:
        yield "cooldown_days", f"0 to {MAX_COOLDOWN_DAYS} days are expected"
    if not 0 <= declared.stays_said_days <= MAX_COOLDOWN_DAYS or (declared.on and declared.stays_said_days):
        yield "stays_said_days", f"0 to {MAX_COOLDOWN_DAYS} days are expected, and none with `on`: a moment has its own"
    for field, most in _MOST.items():
        if not 1 <= getattr(declared, field) <= most:
            yield field, f"1 to {most} is expected"
    for place, channel in enumerate(declared.depends_on):
        if channel not in CHANNELS:
            # such a channel is never unheard: the absence would count whether it was heard or not
            near = nearest(channel, CHANNELS) or f"; one of {', '.join(CHANNELS)} is expected"
            yield f"depends_on[{place}]", f"no channel is called {channel}{near}"


def _wrong_guard(declared: RuleDeclared) -> Iterator[tuple[str, str]]:
    if not (declared.blocks or declared.wording):
        if declared.kind == "guard" and declared.situation is None:
            yield "blocks", "a guard without `blocks`, `wording` and `situation` does nothing: name at least one"
        return
    if declared.kind != "guard":
        yield "blocks", "only a guard holds others back"
    for field, text in texts(declared):
        if field != "reason" and NAMED.search(text.en + text.zh):
            yield field, "is said of whatever alert the guard words or holds back: name no figure in it"
    if declared.depends_on:
        # while a channel is unheard an absence does not count: the guard would let pass what it is there to hold
        told = "a guard holds back on what is unknown, and waits for no channel"
        yield "depends_on", f"{told}: name facts in its condition that are missing while their source is not heard"
    if "guard" in declared.blocks:
        yield "blocks", "retention and upsell can be held back: a case of care waits for nothing"


def check_desk(desk: Desk) -> Iterator[tuple[str, str]]:
    """(field, message) of each mistake."""
    counted = (
        "daily_capacity", "throttle_after", "burst_from", "burst_times", "open_budget", "outcome_within_hours",
    )  # fmt: skip
    yield from ((field, "1 or more is expected") for field in counted if getattr(desk, field) < 1)
    shares = {"remind_at": desk.remind_at, "throttle_above": desk.throttle_above}
    shares |= {f"tier_share.{tier}": share for tier, share in desk.tier_share.items()}
    yield from ((field, "1 to 100 percent is expected") for field, share in shares.items() if not 1 <= share <= 100)
    for field in ("tier_share", "unknown_value"):
        for tier in getattr(desk, field).keys() - set(TIERS):
            yield f"{field}.{tier}", f"no tier is called {tier}; there are {', '.join(TIERS)}"
    for owner, capacity in desk.capacities.items():
        if capacity < 0:
            yield f"capacities.{owner}", "0 or more is expected"
    for tier, value in desk.unknown_value.items():
        if not (value >= 0.0 and isfinite(value)):
            yield f"unknown_value.{tier}", "0 or more is expected"
    for owner, superior in desk.superiors.items():
        if superior == owner or not _OWNER.fullmatch(superior):
            yield f"superiors.{owner}", "another manager's id is expected"
    for role, owner in desk.roles.items():
        if not _OWNER.fullmatch(owner):
            yield f"roles.{role}", "a manager's id or a queue is expected, such as queue:care"
    if not 0 <= desk.hours.opens < desk.hours.closes <= 24:
        yield "hours", "it opens before it closes, from 0 to 24"
    if desk.hours.zone not in available_timezones():
        yield "hours.zone", f"no time zone is called {desk.hours.zone}{nearest(desk.hours.zone, available_timezones())}"


def _unknown(rule: Rule, known: Known) -> Iterator[tuple[str, str]]:
    declared = rule.declared
    for name in sorted(rule.asked - known.facts.keys()):
        near = nearest(name, known.facts) or f"; a text stands in quotes: '{name}'"
        yield _where(rule, name), f"no fact is called {name}{near}"
    if declared.on and declared.on not in known.moments:
        yield "on", f"no moment is called {declared.on}{_or_all(declared.on, known.moments)}"
        return
    fields = known.moments.get(declared.on, {})
    shown = {one[1].removeprefix(FIELD) for one in named_in(declared) if one[1].startswith(FIELD)}
    for name in sorted((rule.fields | shown) - fields.keys()):
        said = f"a moment {declared.on} has no field {name}{_or_all(name, fields)}" if declared.on else "needs `on`"
        yield "when", said


def _or_all(name: str, known: Iterable[str]) -> str:
    """Where nothing is near: of so few all can be told."""
    return nearest(name, known) or f"; there are {', '.join(sorted(known))}"


def _where(rule: Rule, name: str) -> str:
    for place, part in enumerate(rule.parts):
        if name in part.facts:
            return f"{'when_any' if rule.any_of else 'when'}[{place}]"
    if name in rule.declared.evidence:
        return "evidence"
    return next((field for field in ("severity", "value_at_stake") if name in getattr(rule, field).facts), "reason")


def _wrong_texts(declared: RuleDeclared, known: Known) -> Iterator[tuple[str, str]]:
    types = {**known.facts, **{FIELD + name: kind for name, kind in known.moments.get(declared.on, {}).items()}}
    for field, text in (("name", declared.name), *texts(declared)):
        if wrong := unfit(text.en, MAX_TEXT) or unfit(text.zh, MAX_TEXT) or _untold(field, text):
            yield field, wrong
        if field != "name" and any(brace in NAMED.sub("", text.en + text.zh) for brace in "{}"):
            yield field, "after { comes the name of a fact, or `moment.` and a field, then }, |one|many} or >=10}"
        named = list(NAMED.finditer(text.en + text.zh))
        for name in sorted({one[1] for one in named if one[2] is not None}):
            if types.get(name) == "string":
                yield field, f"{name} is text: a number or a yes and no is expected before |one|many"
        for name in sorted({one[1] for one in named if one[4] is not None}):
            if types.get(name, "number") != "number":
                yield field, f"{name} is no number: one is expected before >="


def _untold(field: str, text: Text) -> str:
    """A text that one of the two languages has not, or a sign that stands there as it was written."""
    empty = [language for language, said in (("en", text.en), ("zh", text.zh)) if not said.strip()]
    if empty and (len(empty) == 1 or field in ("name", "reason")):
        return f"says nothing in {' and '.join(empty)}"
    wide = next((sign for sign in text.en + text.zh if sign in _WIDE), "")
    if wide:
        return f"has {wide}: write {_WIDE[wide]}"
    unclosed = [one for one in (text.en, text.zh) if len(re.findall(r"\[", one)) != len(re.findall(r"\]", one))]
    return "has a [ or ] alone: a clause that may be left out stands between both" if unclosed else ""


def _wrong_types(rule: Rule, known: Known, expressions: Expressions) -> Iterator[tuple[str, str]]:
    """Runs every expression by itself on samples of each type: `&&` would hide the mistakes of its right side."""
    field = "when_any" if rule.any_of else "when"
    conditions = [(f"{field}[{place}]", part, bool) for place, part in enumerate(rule.parts)]
    numbers = [("severity", rule.severity, float), ("value_at_stake", rule.value_at_stake, float)]
    fields = known.moments.get(rule.declared.on, {})
    types = {**known.facts, **{FIELD + name: kind for name, kind in fields.items()}}
    for where, expression, expected in (*conditions, *numbers):
        wrong = wrong_type(expression, expected, known.facts, fields, expressions)
        wrong = wrong or never_equal(expression.source, types)
        if wrong:
            yield where, wrong


def _wrong_severity(rule: Rule) -> Iterator[tuple[str, str]]:
    """What is worked out from facts could be anything: a severity is chosen, so that it can be looked through."""
    for choice in rule.severity.choices:
        if not (_NUMBER.fullmatch(choice) and LEAST_SEVERE <= float(choice) <= MOST_SEVERE):
            example = "assets >= 1000000.0 ? 3.0 : 2.0"
            yield "severity", f"may be {choice}: 1.0 to 3.0 are expected, or a choice between them such as `{example}`"
