"""Rules, statements and terms for tests: small, and as a bank would write them."""

from typing import Any

from schemas.changes import Fact, Moment, ProfileChange
from services.alerts.adapters.cel import Cel
from services.alerts.domain.compiled import Known, Rule, RuleSet, compile_rule, rule_set
from services.alerts.domain.rules import Desk, RuleDeclared, Text
from services.alerts.domain.terms import Terms

CEL = Cel()
HOUR, DAY = 3_600_000, 86_400_000
NOON = 1_795_406_400_000  # Monday 2026-11-23 12:00 in Shanghai is 04:00 UTC
KNOWN = Known(
    {"salary_missed": "number", "has_salary": "boolean", "assets": "number", "balance_total": "number",
     "complaint_open": "boolean", "fraud_case": "boolean", "is_staff": "boolean", "tier": "string", "owner": "string"},
    {"large_debit": {"amount_home": "number", "percent_of_balance": "number", "external": "boolean"}},
)  # fmt: skip


def declared(rule_id: str, **given: Any) -> RuleDeclared:
    given = {"kind": "retention", "situation": "leaving", "name": Text(en=rule_id, zh=rule_id), **given}
    return RuleDeclared(id=rule_id, **{"reason": Text(en=f"{rule_id} holds", zh=f"{rule_id}"), **given})


def rule(rule_id: str, **given: Any) -> Rule:
    return compile_rule(declared(rule_id, **given), CEL)


def rules(*given: Rule) -> RuleSet:
    return rule_set("test", given, KNOWN.at_rest())


MISSED = rule("R4", when=("has_salary", "salary_missed >= 1.0"), value_at_stake="assets")
OUTFLOW = rule("R1", on="large_debit", when=("moment.external", "moment.percent_of_balance >= 30.0"), severity="2.0")
SAVINGS = rule("U3", kind="upsell", situation="growth", when=("balance_total >= 1000.0",))
COMPLAINT = rule("G1", kind="guard", situation=None, when_any=("complaint_open", "fraud_case"), blocks=("upsell",))


def moment(moment_id: str, at: int, **values: Fact) -> Moment:
    given: dict[str, Fact] = {"external": True, "percent_of_balance": 50.0, "amount_home": 9000.0, **values}
    return Moment(moment_id=moment_id, kind="large_debit", occurred_at=at, event_id=moment_id, values=given)


def statement(version: int, customer_id: str = "c1", at: int = 0, **given: Any) -> ProfileChange:
    """Facts at rest unless given; the owner is M-1, who is there."""
    extra = {
        name: given.pop(name)
        for name in ("moments", "missing", "not_covered", "unheard", "kind", "aliases", "merged", "erased_at")
        if name in given
    }
    owned = {"owner": "M-1", "acting_owner": given.get("owner", "M-1")}
    facts = {name: value for name, value in {"tier": "gold", **owned, **given}.items() if value}
    changed_at = at or NOON + version * HOUR
    return ProfileChange(
        customer_id=customer_id, version=version, changed_at=changed_at, facts=facts, **{"kind": "person", **extra}
    )


def terms(desk: Desk | None = None, throttled: frozenset[str] = frozenset(), **precision: float) -> Terms:
    """`precision` of rules in the whole bank."""
    of_bank = {(rule, ""): share for rule, share in precision.items()}
    return Terms(desk or Desk(), lambda day: (day + 3) % 7 < 5, of_bank, throttled)
