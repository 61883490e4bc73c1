"""The rules that come with the product: all there, all sound, each speaking when it should and not otherwise."""

import re
from collections import Counter
from random import Random
from typing import get_args

import pytest

from schemas.catalogue import load_catalogue
from schemas.changes import Fact, Moment, ProfileChange
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, Loaded, load_rules
from services.alerts.domain.compiled import Rule, named_in, texts
from services.alerts.domain.judging import judge
from services.alerts.domain.rules import EMPTY, CustomerKind, Text
from services.alerts.domain.wording import NAMED, filled
from services.cli.declared import known_to_rules
from services.declared_files import Directories
from services.profile.adapters.policies import load_declarations
from services.profile.domain.customers.assets import Band
from tests.alerts.catalogue_cases import CASES, Case, Told

SIGNALS = [*(f"R{n}" for n in range(1, 30)), *(f"U{n}" for n in range(1, 23)), *(f"G{n}" for n in range(1, 5))]
"""G5, one alert for one cause, is how alerts are made, and no rule."""


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_rules(Directories(PRODUCT), known_to_rules(), Cel(), {})


def statement(told: Told, on: str) -> ProfileChange:
    facts: dict[str, Fact] = {"kind": "person"}
    values: dict[str, Fact] = {}
    for name, value in told.items():
        if name.startswith("moment."):
            values[name.removeprefix("moment.")] = value
        else:
            facts[name] = value
    moments = [Moment(moment_id="m", kind=on, occurred_at=1, event_id="e", values=values)] if on else []
    facts = {name: value for name, value in facts.items() if value}
    return ProfileChange(
        customer_id="c", version=1, kind=str(facts["kind"]), changed_at=2, facts=facts, moments=moments
    )


def outcomes(told: Told, rule: Rule, loaded: Loaded) -> dict[str, str]:
    """rule → outcome, of those that are not silent."""
    return {one.rule.id: one.outcome for one in judge(statement(told, rule.declared.on), loaded.rule_set, Cel())}


def test_no_rule_has_a_mistake(loaded: Loaded) -> None:
    assert [str(one) for one in loaded.mistakes] == []


def test_every_signal_has_a_rule(loaded: Loaded) -> None:
    signals = Counter(rule.declared.signal for rule in loaded.rule_set.rules)
    assert sorted(signals) == sorted(SIGNALS)
    assert all(rule.id.startswith(rule.declared.signal) for rule in loaded.rule_set.rules)


def test_every_rule_has_a_case(loaded: Loaded) -> None:
    assert {case.rule for case in CASES} == {rule.id for rule in loaded.rule_set.rules}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_holds_when_it_should_and_not_when_it_just_misses(case: Case, loaded: Loaded) -> None:
    rule = loaded.rule_set.rule(case.rule)
    assert rule is not None
    assert outcomes(case.holds, rule, loaded).get(case.rule) == "holds"
    assert case.rule not in outcomes({**case.holds, **case.misses}, rule, loaded)


def test_a_customer_of_whom_nothing_is_told_raises_nothing(loaded: Loaded) -> None:
    spoken = {one.rule.id for one in judge(statement({}, ""), loaded.rule_set, Cel())}
    assert spoken == {"G3"}, "nobody has agreed to marketing yet"


@pytest.mark.parametrize("guard", [("G1",), ("G2", "G2B"), ("G3",), ("G3B",), ("G4",)])
def test_the_guards_pass_over_no_kind_of_customer_whom_a_rule_may_sell_to(
    guard: tuple[str, ...], loaded: Loaded
) -> None:
    """No rule of the product is about groups; a bank's own may be."""
    about = [kind for one in loaded.rule_set.rules if one.id in guard for kind in one.declared.about]
    assert sorted(about) == sorted(get_args(CustomerKind))


def test_nobody_invites_a_company_to_private_banking(loaded: Loaded) -> None:
    near: Told = {
        "kind": "company", "assets_band": "near", "assets_direction": "rising", "marketing_consent": True,
    }  # fmt: skip
    assert judge(statement(near, ""), loaded.rule_set, Cel()) == []
    about = {one.id: one.declared.about for one in loaded.rule_set.rules}
    assert {about[one] for one in ("U7", "U8", "R26")} == {("person", "household")}


def test_a_household_of_which_one_member_complains_is_offered_nothing(loaded: Loaded) -> None:
    rule = loaded.rule_set.rule("G1")
    assert rule is not None
    assert outcomes({"kind": "household", "complaint_open": True}, rule, loaded)["G1"] == "holds"


@pytest.mark.parametrize(
    ("kind", "guard"), [("person", "G2"), ("company", "G2"), ("household", "G2B"), ("group", "G2B")]
)
def test_whoever_s_payments_are_returned_is_sold_nothing_and_is_told_of_once(
    kind: str, guard: str, loaded: Loaded
) -> None:
    told: Told = {"kind": kind, "shortfalls_30d": 2.0, "marketing_consent": True}
    found = judge(statement(told, ""), loaded.rule_set, Cel())
    [holds] = [one.rule for one in found]
    assert (holds.id, bool(holds.declared.situation)) == (guard, kind in ("person", "company"))


def test_texts_are_in_both_languages_and_show_what_was_seen(loaded: Loaded) -> None:
    for rule in loaded.rule_set.rules:
        declared = rule.declared
        for text in (declared.name, declared.reason, declared.suggested):
            assert text != EMPTY, rule.id
        for text in (declared.name, declared.reason, declared.may_say, declared.must_not_say, declared.suggested):
            assert bool(text.en) == bool(text.zh), rule.id
            assert text.en.isascii(), rule.id
            assert not text.zh or not text.zh.isascii(), rule.id


def test_what_is_filled_in_is_the_same_in_both_languages(loaded: Loaded) -> None:
    for rule in loaded.rule_set.rules:
        for text in (rule.declared.reason, rule.declared.suggested):
            named = [sorted(set(re.findall(r"\{[\w.]+\}", one))) for one in (text.en, text.zh)]
            assert named[0] == named[1], rule.id


def test_selling_is_held_back_by_guards_alone(loaded: Loaded) -> None:
    blocking = {rule.id for rule in loaded.rule_set.rules if "upsell" in rule.declared.blocks}
    assert blocking == {"G1", "G2", "G2B", "G4"}
    assert all("retention" not in rule.declared.blocks for rule in loaded.rule_set.rules)


def test_a_life_that_goes_wrong_and_a_sale_never_share_an_alert(loaded: Loaded) -> None:
    situations = {kind: {r.declared.situation for r in loaded.rule_set.rules if r.declared.kind == kind}
                  for kind in ("retention", "upsell", "guard")}  # fmt: skip
    assert "care" not in situations["upsell"]
    assert "service_trouble" not in situations["upsell"]


def test_a_household_is_told_of_once(loaded: Loaded) -> None:
    declared = [rule.declared for rule in loaded.rule_set.rules]
    assert {one.id for one in declared if "household" in one.about and one.situation} == {"R26", "U7", "U8"}
    near: Told = {
        "kind": "household", "assets_band": "near", "assets_direction": "rising", "marketing_consent": True,
    }  # fmt: skip
    found = judge(statement(near, ""), loaded.rule_set, Cel())
    assert [one.rule.id for one in found] == ["U7"]


def test_what_is_left_out_unjudged_would_not_have_held(loaded: Loaded) -> None:
    rules = loaded.rule_set
    unsifted = rules._replace(on_facts={
        kind: tuple(rule._replace(sieve=lambda facts, fields: True) for rule in concerned)
        for kind, concerned in rules.on_facts.items()
    })  # fmt: skip
    chance, kinds = Random(4), known_to_rules().facts
    given: dict[str, tuple[Fact, ...]] = {
        "number": (0.0, 0.0, 1.0, 6.0, 90.0, 30_000.0), "boolean": (False, True), "string": ("", "gold", "near"),
    }  # fmt: skip
    for _ in range(200):
        told = {name: chance.choice(given[kind]) for name, kind in kinds.items()}
        change = statement({**told, "kind": "person"}, "")
        for name in chance.sample(sorted(kinds), 5):
            change.facts.pop(name, None)
            change.missing.append(name)
        found = [[(one.rule.id, one.outcome, one.missing) for one in judge(change, one_set, Cel())]
                 for one_set in (rules, unsifted)]  # fmt: skip
        assert found[0] == found[1]


def test_every_amount_that_a_text_of_the_product_can_show_is_told_in_the_bank_s_currency(loaded: Loaded) -> None:
    amounts, told = loaded.rule_set.amounts, set[str]()
    assert (amounts.currency, "assets" in amounts.names, "logins_30d" in amounts.names) == ("CNY", True, False)
    for rule in loaded.rule_set.rules:
        names = {found[1] for found in named_in(rule.declared)}
        seen: dict[str, Fact] = dict.fromkeys(names, 8765.0)
        for _, text in texts(rule.declared):
            said = filled(text, seen, loaded.rule_set.labels, amounts)
            assert said.en.count("8,765") - said.en.count("CNY 8,765") == sum(
                found[1] not in amounts.names for found in NAMED.finditer(text.en) if found[2] is None
            ), rule.id
            assert said.zh.count("8,765 元") == said.en.count("CNY 8,765"), rule.id
        told |= names & amounts.names
    assert len(told) > 25


SIGNS: tuple[tuple[Told, Told], ...] = (
    ({"balance_30d_ago": 20_000.0, "external_outflow_30d": 6_000.0}, {"external_outflow_30d": 5_999.0}),
    ({"balance_below_usual_checks": 1.0}, {}),
    ({"has_salary": True, "salary_missed": 1.0}, {}),
    ({"mandates_cancelled_30d": 2.0}, {"mandates_cancelled_30d": 1.0}),
    ({"competitor_transfers_30d": 1.0}, {}),
    ({"own_elsewhere_transfers_2m": 2.0}, {"own_elsewhere_transfers_2m": 1.0}),
    ({"lender_payments_60d": 1.0}, {}),
    ({"products_closed_90d": 1.0}, {}),
    ({"days_since_customer_debit": 30.0, "customer_debits_180d": 6.0}, {"days_since_customer_debit": 29.0}),
    ({"leaving_enquiries_30d": 1.0}, {}),
    ({"complaint_open": True}, {}),
    ({"contacts_same_reason_7d": 3.0}, {"contacts_same_reason_7d": 2.0}),
    ({"channel_hops_7d": 1.0}, {}),
    ({"declines_7d": 2.0}, {"declines_7d": 1.0}),
    ({"friction_fees_30d": 2.0}, {"friction_fees_30d": 1.0}),
    ({"logs_in": True, "usual_login_gap_days": 4.0, "days_since_last_login": 15.0}, {"days_since_last_login": 14.0}),
)  # fmt: skip
"""What R23 weighs, each as it just counts, and as it does not yet."""
LEAVING: Told = {"leaving_enquiries_30d": 1.0, "complaint_open": True, "products_closed_90d": 1.0}


@pytest.mark.parametrize(("counts", "not_yet"), SIGNS, ids=lambda told: "+".join(told))
def test_of_several_signs_those_that_count_are_told_and_no_others(counts: Told, not_yet: Told, loaded: Loaded) -> None:
    def told(more: Told) -> set[str]:
        rule, change = loaded.rule_set.rule("R23"), statement({**LEAVING, **more}, "")
        [seen] = [one.seen for one in judge(change, loaded.rule_set, Cel()) if one.rule is rule]
        assert rule is not None
        reason = filled(rule.declared.reason, seen, loaded.rule_set.labels, loaded.rule_set.amounts)
        clauses = re.split(r",(?!\d)", reason.en.partition(":")[2])
        assert len(clauses) == len(reason.zh.partition("\uff1a")[2].split("\uff0c"))
        return set(clauses)

    assert told(not_yet) == told({})
    assert len(told(counts) - told({})) == (not counts.keys() <= LEAVING.keys())


def test_every_code_of_the_product_that_a_text_can_show_has_a_label(loaded: Loaded) -> None:
    reference = load_declarations().policy.reference
    (life_events,) = [one.values for one in load_catalogue()["life_event.recorded"].attributes if one.name == "kind"]
    scales = load_declarations().policy.scales.by_kind.values()
    codes = {
        "general", *(one.tier for scale in scales for one in scale.thresholds), *get_args(Band), *life_events,
        *(one.family for one in reference.next_products), *reference.reasons.of_code.values(),
    }  # fmt: skip
    assert codes - loaded.rule_set.labels.keys() == set()


@pytest.mark.parametrize(
    ("kind", "since", "outcome"),
    [
        ("marriage", {"last_life_event": "marriage"}, "holds"),
        ("marriage", {"last_life_event": "divorce", "separated": True}, None),
        ("marriage", {"last_life_event": "birth", "separated": True}, None),
        ("marriage", {"last_life_event": "marriage", "separated": True}, "holds"),
        ("home_move", {"last_life_event": "home_move", "separated": True}, None),
    ],
)
def test_who_has_parted_is_congratulated_on_nothing_but_a_marriage_after_that(
    kind: str, since: Told, outcome: str | None, loaded: Loaded
) -> None:
    rule = loaded.rule_set.rule("U15C")
    assert rule is not None
    assert outcomes({"moment.kind": kind, **since}, rule, loaded).get("U15C") == outcome


def test_a_complaint_that_is_grave_says_why(loaded: Loaded) -> None:
    rule = loaded.rule_set.rule("R11")
    assert rule is not None
    told: dict[str, Fact] = {"complaint_open_days": 1.0, "complaint_overdue": True, "complaint_reopened": False}
    assert filled(rule.declared.reason, told) == Text(
        en="A complaint is open, for 1 day, past its due time", zh="投诉未结\uff0c已持续 1 天\uff0c已逾期"
    )
    assert filled(rule.declared.reason, dict.fromkeys(told, 0.0)).en == "A complaint is open"


def test_a_deposit_that_has_matured_is_told_in_full_where_no_other_one_matures(loaded: Loaded) -> None:
    rule = loaded.rule_set.rule("R18")
    assert rule is not None
    told: dict[str, Fact] = {"deposit_maturing_amount": 0.0, "deposit_matures_in_days": 0.0}
    told["deposit_matured_amount"] = 80_000.0
    assert filled(rule.declared.reason, told).en == "80,000 has matured without an instruction"
    told["deposit_matures_in_days"] = 39.0  # of another one, of which nothing need be said yet
    assert filled(rule.declared.reason, told) == Text(
        en="80,000 has matured without an instruction; the next maturity is in 39 days",
        zh="已有 80,000 到期未作指示\uff1b最近一笔 39 天后到期",
    )


@pytest.mark.parametrize(
    ("told", "severity"),
    [
        ({"deposit_maturing_uninstructed": True, "deposit_matures_in_days": 8.0}, 1),
        ({"deposit_maturing_uninstructed": True, "deposit_matures_in_days": 7.0}, 2),
        ({"deposit_matured_uninstructed": True}, 3),
        ({"deposit_matured_uninstructed": True, "deposit_matures_in_days": 39.0}, 3),
    ],
)
def test_a_deposit_without_an_instruction_is_graver_with_each_step_to_maturity(
    told: Told, severity: int, loaded: Loaded
) -> None:
    [said] = [one for one in judge(statement(told, ""), loaded.rule_set, Cel()) if one.rule.id == "R18"]
    assert said.severity == severity


@pytest.mark.parametrize(("rule_id", "seen", "told"), [
    ("G2", {"shortfalls_30d": 2.0, "balance_total": 40.0},
     "2 payments returned within 30 days; the accounts stand at 40"),
    ("G2", {"short_term_loans_60d": 2.0, "balance_total": 40.0},
     "2 payments to short-term lenders within 60 days; the accounts stand at 40"),
    ("R2", {"external_outflow_30d": 50_000.0, "external_outflow_7d": 50_000.0, "balance_30d_ago": 5_000.0,
            "balance_7d_ago": 100_000.0},
     "50,000 went to other banks within 30 days, 50,000 of it within 7 days; the balance 30 days ago was 5,000; "
     "the balance 7 days ago was 100,000"),
    ("R2", {"external_outflow_30d": 50_000.0, "balance_30d_ago": 90_000.0},
     "50,000 went to other banks within 30 days; the balance 30 days ago was 90,000"),
    ("R6", {"mandates_cancelled_30d": 3.0, "mandates_active": 1.0, "mandates_active_30d_ago": 4.0},
     "3 standing orders or direct debits were cancelled within 30 days; 1 is left, against 4 thirty days ago"),
    ("R6", {"mandates_cancelled_30d": 1.0, "mandates_active": 2.0},
     "1 standing order or direct debit was cancelled within 30 days; 2 are left"),
    ("R7", {"own_elsewhere_transfers_2m": 2.0}, "2 transfers to the own name elsewhere within two months"),
    ("R8", {"lender_monthly_payment": 500.0}, "Other lenders are paid 500 every month"),
    ("R23", {"own_elsewhere_transfers_2m": 2.0, "complaint_open": True, "days_since_customer_debit": 40.0},
     "Several signs at once: 2 transfers to the own name elsewhere, no payment for 40 days, a complaint is open"),
    ("R23", {"lender_payments_60d": 1.0, "channel_hops_7d": 1.0, "declines_7d": 2.0, "friction_fees_30d": 2.0,
             "balance_below_usual_checks": 1.0},
     "Several signs at once: the balance is below its usual level, 1 payment to other lenders, "
     "1 failure online and then a call or visit, 2 payments refused, 2 fees of the kind that annoys"),
    ("R16", {"days_since_last_login": 16.0, "usual_login_gap_days": 5.0},
     "No sign-in for 16 days, where usually 5 days lie between two"),
    ("U11", {"loan_ends_in_days": 30.0}, "The loan ends in 30 days"),
    ("U11", {"loan_outstanding": 90_000.0, "loan_ends_in_days": 30.0}, "90,000 is left; the loan ends in 30 days"),
    ("U13", {"foreign_payments_14d": 3.0, "travel_bookings_14d": 1.0},
     "Within 14 days 3 payments marked as foreign, 1 travel booking"),
    ("U11", {"loan_repaid_percent": 24.0, "loan_outstanding": 76_000.0, "loan_ends_in_days": 80.0},
     "24 % of the loan is repaid without arrears; 76,000 is left; the loan ends in 80 days"),
])  # fmt: skip
def test_each_sign_is_told_in_full_whichever_others_there_are(
    rule_id: str, seen: dict[str, Fact], told: str, loaded: Loaded
) -> None:
    rule = loaded.rule_set.rule(rule_id)
    assert rule is not None
    assert filled(rule.declared.reason, {name: seen.get(name, 0.0) for name in rule.asked}).en == told


@pytest.mark.parametrize(("rule_id", "seen", "told"), [
    ("G2", {"gambling_payments_30d": 5.0}, Text("5 payments for betting within 30 days", "30 天内博彩支付 5 笔")),
    ("R4", {"salary_days_overdue": 1.0}, Text("The usual salary is 1 day overdue", "惯常工资已逾期 1 天未入账")),
    ("R19", {"fixed_rate_ends_in_days": 30.0}, Text("The fixed rate ends in 30 days", "固定利率将在 30 天后到期")),
    ("U4", {"moment.percent_of_usual_salary": 150.0},
     Text("The salary was 150 % of the usual one", "本次工资为平时的 150%")),
    ("U6", {"salary_known_days": 1.0}, Text("The first salary came 1 day ago", "1 天前首次收到代发工资")),
])  # fmt: skip
def test_a_figure_that_is_unknown_is_left_out(rule_id: str, seen: dict[str, Fact], told: Text, loaded: Loaded) -> None:
    """Money in a currency without a rate is."""
    rule = loaded.rule_set.rule(rule_id)
    assert rule is not None
    assert filled(rule.declared.reason, seen) == told


MORE_THAN_ONE = (
    "days_since_last_login", "days_since_customer_debit", "tenure_days", "contacts_same_reason_7d",
    "abandoned_waits_7d", "salary_raised_periods", "card_paid_in_full", "business_credits_30d", "broker_transfers_90d",
    "days_since_overdrawn", "customer_debits_90d", "card_payments_90d", "potential_points",
    "rent_months_in_a_row",
)  # fmt: skip
"""Two or more whenever the rule that tells of it holds."""


def test_money_that_goes_to_a_competitor_is_not_said_to_go_to_a_bank(loaded: Loaded) -> None:
    """A broker or an app is none."""
    rule = loaded.rule_set.rule("R1")
    assert rule is not None
    seen = {"moment.amount_home": 30_000.0, "moment.competitor": True}
    assert filled(rule.declared.reason, seen) == Text(
        "30,000 went to a competitor in one payment", "单笔 30,000 转往竞争机构"
    )
    seen["moment.competitor"] = False
    assert filled(rule.declared.reason, seen) == Text(
        "30,000 went to another bank in one payment", "单笔 30,000 转往他行"
    )
    assert ("bank" not in rule.declared.name.en, "行" not in rule.declared.name.zh) == (True, True)


def test_one_of_a_thing_is_not_said_as_if_it_were_many(loaded: Loaded) -> None:
    for rule in loaded.rule_set.rules:
        named = rule.asked | {f"moment.{one}" for one in rule.fields}
        values: dict[str, Fact] = {name: 2.0 if name in MORE_THAN_ONE else 1.0 for name in named}
        told = filled(rule.declared.reason, values).en
        assert not re.findall(r"\b1 (?!(?:as|is|was|has|matures)\b)[a-z]+s\b", told), (rule.id, told)
