"""For each rule of the catalogue one statement in which it holds, and the least that must be different for it not to.

Facts that are not named are at rest. A name with a dot is a field of the moment that the rule is about.
"""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.changes import Fact

Told = Mapping[str, Fact]


class Case(NamedTuple):
    rule: str
    holds: Told
    misses: Told


HOME: Told = {"kind": "household"}
OUTWARDS: Told = {
    "moment.external": True, "moment.competitor": False, "moment.amount_home": 40_000.0,
    "moment.percent_of_balance": 45.0,
}  # fmt: skip
CROSSED: Told = {
    "assets_band": "above", "assets_to_private_banking": -1_000_000.0, "assets_change_30d": 900_000.0,
    "assets_change_90d": 1_100_000.0,
}  # fmt: skip
SUNK: Told = {
    "balance_below_usual_checks": 2.0, "tenure_days": 800.0, "balance_mean_30d": 9_000.0, "balance_mean_365d": 10_000.0,
}  # fmt: skip
TENANT: Told = {
    "rent_months_in_a_row": 6.0, "housing_payments_190d": 6.0, "assets": 50_000.0, "assets_change_90d": 1_000.0,
}  # fmt: skip
FALLEN: Told = {"moment.fell": True, "moment.from": "above", "assets_direction": "falling"}
INWARDS: Told = {"moment.own_account": False, "moment.flow": "transfer", "moment.amount_home": 80_000.0}
SALARIED: Told = {"has_salary": True, "salary_usual": 9_000.0}
HALF_GONE: Told = {
    "balance_30d_ago": 50_000.0, "external_outflow_30d": 25_000.0, "usual_monthly_outflow": 5_000.0,
    "balance_total": 20_000.0,
}  # fmt: skip
RARELY_SEEN: Told = {
    "logs_in": True, "usual_login_gap_days": 5.0, "longest_login_gap_days": 20.0, "days_since_last_login": 16.0,
    "customer_debits_90d": 10.0, "customer_debits_30d": 2.0,
}  # fmt: skip
LENT: Told = {"loans_open": 1.0, "loan_repaid_percent": 55.0}

CASES = [
    Case("R1", OUTWARDS, {"moment.external": False}),
    Case("R1", OUTWARDS, {"moment.percent_of_balance": 29.0}),
    Case(
        "R1",
        {
            **OUTWARDS,
            "moment.percent_of_balance": 5.0,
            "usual_monthly_outflow": 3_000.0,
            "usual_monthly_outflow_spread": 500.0,
        },
        {"usual_monthly_outflow_spread": 9_000.0},
    ),
    Case("R2", HALF_GONE, {"external_outflow_30d": 19_000.0}),
    Case("R2", HALF_GONE, {"usual_monthly_outflow": 20_000.0}),
    Case("R2", {"balance_7d_ago": 30_000.0, "external_outflow_7d": 15_000.0}, {"balance_7d_ago": 19_000.0}),
    Case("R3", SUNK, {"balance_below_usual_checks": 1.0}),
    Case("R3", SUNK, {"balance_mean_30d": 9_100.0}),
    Case("R4", {**SALARIED, "salary_missed": 1.0}, {"salary_missed": 0.0}),
    Case("R5", {**SALARIED, "salary_reduced_periods": 2.0}, {"salary_reduced_periods": 1.0}),
    Case("R6", {"mandates_cancelled_30d": 3.0, "mandates_active": 5.0}, {"mandates_cancelled_30d": 2.0}),
    Case(
        "R6",
        {"mandates_active_30d_ago": 5.0, "mandates_active": 3.0, "mandates_cancelled_30d": 1.0},
        {"mandates_active": 4.0},
    ),
    Case(
        "R6",
        {"mandates_active_30d_ago": 5.0, "mandates_active": 3.0, "mandates_cancelled_30d": 1.0},
        {"mandates_cancelled_30d": 0.0},
    ),
    Case("R7", {"competitor_transfers_30d": 2.0}, {"competitor_transfers_30d": 0.0}),
    Case("R7", {"own_elsewhere_transfers_2m": 2.0}, {"own_elsewhere_transfers_2m": 1.0}),
    Case(
        "R7",
        {"competitor_transfers_30d": 1.0, "competitor_outflow_30d": 500.0, "competitor_outflow_90d": 500.0},
        {"competitor_outflow_90d": 900.0},  # paid before: no new payee
    ),
    Case("R8", {"lender_payments_60d": 2.0}, {"lender_payments_60d": 1.0}),
    Case("R8", {"lender_monthly_payment": 800.0}, {"lender_monthly_payment": 0.0}),
    Case("R9", {"leaving_enquiries_30d": 1.0}, {"leaving_enquiries_30d": 0.0}),
    Case("R10", {"product_families": 2.0, "moment.type": "account.closed"}, {"product_families": 0.0}),
    Case("R10", {"product_families": 2.0, "moment.type": "account.closed"}, {"moment.type": "loan.repaid"}),
    Case("R11", {"complaint_open": True}, {"complaint_open": False}),
    Case("R12", {"contacts_same_reason_7d": 3.0}, {"contacts_same_reason_7d": 2.0}),
    Case("R13", {"channel_hops_7d": 1.0}, {"channel_hops_7d": 0.0}),
    Case("R14", {"declines_24h": 2.0}, {"fraud_declines_24h": 1.0}),
    Case("R14", {"declines_24h": 1.0, "tier": "gold"}, {"tier": "general"}),
    Case("R15", {"friction_fees_30d": 2.0}, {"friction_fees_30d": 1.0}),
    Case("R15", {"penalties_30d": 2.0}, {"penalties_30d": 1.0}),
    Case("R15", {"friction_fees_30d": 1.0, "penalties_30d": 1.0}, {"friction_fees_30d": 0.0}),
    Case("R15", {"tenure_days": 400.0, "fees_30d": 60.0, "fees_365d": 170.0}, {"fees_365d": 400.0}),
    Case("R16", RARELY_SEEN, {"days_since_last_login": 15.0}),
    Case("R16", RARELY_SEEN, {"customer_debits_30d": 3.0}),
    Case(
        "R16",
        {
            "logs_in": True,
            "usual_login_gap_days": 1.0,
            "longest_login_gap_days": 14.0,
            "days_since_last_login": 29.0,
            "customer_debits_90d": 30.0,
            "customer_debits_30d": 10.0,
        },
        {"days_since_last_login": 28.0},
    ),
    Case("R17", {"days_since_customer_debit": 30.0, "customer_debits_180d": 6.0}, {"customer_debits_180d": 5.0}),
    Case(
        "R17B",
        {"days_since_customer_debit": 180.0, "balance_total": 5_000.0, "accounts_open": 1.0},
        {"days_since_customer_debit": 179.0},
    ),
    Case("R18", {"deposit_maturing_uninstructed": True}, {"deposit_maturing_uninstructed": False}),
    Case("R18", {"deposit_matured_uninstructed": True}, {"deposit_matured_uninstructed": False}),
    Case("R19", {"fixed_rate_ends_in_days": 120.0}, {"fixed_rate_ends_in_days": 121.0}),
    Case("R20", {"loan_instalment": 1_000.0, "extra_repaid_60d": 3_001.0}, {"extra_repaid_60d": 3_000.0}),
    Case("R20B", {"moment.type": "loan.repaid", "moment.early": True}, {"moment.early": False}),
    Case(
        "R21",
        {"moment.outside_footprint": True, "logins_30d": 2.0, "logins_90d": 22.0},
        {"logins_30d": 8.0},
    ),
    Case("R21", {"moment.outside_footprint": True, "products_closed_90d": 1.0}, {"moment.outside_footprint": False}),
    Case(
        "R21",
        {"moment.outside_footprint": True, "usual_monthly_outflow": 1_000.0, "external_outflow_30d": 2_001.0},
        {"external_outflow_30d": 2_000.0},
    ),
    Case("R22", {"tenure_days": 60.0, "assets": 200.0, "customer_debits_30d": 3.0}, {"tenure_days": 180.0}),
    Case("R22", {"tenure_days": 60.0, "assets": 200.0, "customer_debits_30d": 3.0}, {"assets": 1_000.0}),
    Case("R22", {"tenure_days": 60.0, "assets": 200.0, "customer_debits_30d": 3.0}, {"customer_debits_30d": 4.0}),
    Case("R22", {"tenure_days": 60.0, "assets": 9_000.0, "customer_debits_30d": 1.0}, {"customer_debits_30d": 2.0}),
    Case(
        "R23",
        {**HALF_GONE, **SALARIED, "salary_missed": 1.0, "mandates_cancelled_30d": 2.0},
        {"mandates_cancelled_30d": 1.0},
    ),
    Case(
        "R23",
        {"leaving_enquiries_30d": 1.0, "complaint_open": True, "channel_hops_7d": 1.0},
        {"channel_hops_7d": 0.0},
    ),
    Case("R24", {"moment.kind": "bereavement"}, {"moment.kind": "birth"}),
    Case("R25", {"moment.from": "M-1", "tier": "gold"}, {"tier": "general"}),
    Case("R25", {"moment.from": "M-1", "tier": "profit"}, {"moment.from": ""}),
    Case("R26", {**FALLEN, "moment.to": "near"}, {"moment.fell": False}),
    Case("R26", FALLEN, {"household_assets": 7e6}),
    Case("R26", {**FALLEN, "assets": 5.9e6}, {"assets_direction": "steady"}),
    Case("R26", {**FALLEN, "assets_direction": "unknown", "assets": 5.9e6}, {"assets_direction": "rising"}),
    Case(
        "R26",
        {**FALLEN, "assets_direction": "rising", "assets": 4_300_000.0, "assets_to_private_banking": 86_000.0},
        {"assets_to_private_banking": 85_999.0},
    ),
    Case("R27", {"moment.fell": True, "moment.from": "gold", "moment.to": "profit"}, {"moment.fell": False}),
    Case("R28", {"moment.score_percent": 60.0}, {"moment.score_percent": 61.0}),
    Case("R28", {"moment.score_percent": 80.0, "tier": "gold"}, {"tier": "profit"}),
    Case("R29", {"abandoned_waits_7d": 2.0}, {"abandoned_waits_7d": 1.0}),
    Case("U1", INWARDS, {"moment.own_account": True}),
    Case("U1", INWARDS, {"moment.flow": "loan"}),
    Case(
        "U1",
        {**INWARDS, "moment.amount_home": 12_000.0, "usual_monthly_inflow": 6_000.0},
        {"usual_monthly_inflow_spread": 2_000.0},
    ),
    Case("U1", {**INWARDS, "usual_monthly_inflow": 40_000.0}, {"usual_monthly_inflow": 500_000.0}),
    Case(
        "U2",
        {"external_inflow_30d": 70_000.0, "income_30d": 10_000.0, "assets_change_30d": 50_000.0},
        {"usual_monthly_inflow": 50_000.0},
    ),
    Case(
        "U2",
        {"external_inflow_30d": 70_000.0, "income_30d": 10_000.0, "assets_change_30d": 50_000.0},
        {"assets_change_30d": 40_000.0},
    ),
    Case(
        "U3",
        {"tenure_days": 200.0, "usual_monthly_outflow": 4_000.0, "current_lowest_60d": 25_000.0},
        {"current_lowest_60d": 24_000.0},
    ),
    Case("U4", {**SALARIED, "moment.percent_of_usual_salary": 150.0}, {"moment.percent_of_usual_salary": 149.0}),
    Case("U5", {**SALARIED, "salary_raised_periods": 2.0}, {"salary_raised_periods": 1.0}),
    Case(
        "U6",
        {"salary_credits": 1.0, "salary_known_days": 40.0, "salary_first_after_days": 60.0},
        {"salary_first_after_days": 20.0},  # the first thing ever heard of: no new salary, a new bank
    ),
    Case("U6", {"salary_credits": 1.0, "began_with_salary": True}, {"began_with_salary": False}),
    Case("U6", {"salary_credits": 1.0, "began_with_salary": True}, {"salary_known_days": 76.0}),
    Case("U7", {"assets_band": "near", "assets_direction": "rising"}, {"assets_direction": "steady"}),
    Case("U7", {"assets_band": "near", "assets_direction": "rising"}, {"household_assets": 5.5e6}),
    Case(
        "U8",
        {"assets_band": "above", "assets_former_band": "near", "assets_band_days": 30.0},
        {"assets_band_days": 29.0},
    ),
    Case("U8", CROSSED, {"assets_change_30d": 1_000_001.0}),
    Case("U8", CROSSED, {"assets_change_90d": 900_000.0}),
    Case("U8", CROSSED, {"household_assets": 8e6}),
    Case("U9", TENANT, {"mortgages_open": 1.0}),
    Case("U9", TENANT, {"assets_change_90d": 900.0}),
    Case("U9", TENANT, {"assets": 19_000.0}),
    Case("U9", TENANT, {"housing_payments_190d": 5.0}),
    Case("U10", {"interest_shown_72h": 2.0, "hours_since_interest": 24.0}, {"hours_since_interest": 5.0}),
    Case("U10", {"interest_shown_72h": 2.0, "hours_since_interest": 24.0}, {"hours_since_interest": 169.0}),
    Case("U10", {"application_open_hours": 24.0}, {"application_open_hours": 169.0}),
    Case("U11", LENT, {"loan_arrears": True}),
    Case("U11", {"loans_open": 1.0, "loan_ends_in_days": 90.0}, {"loan_ends_in_days": 0.0}),
    Case("U12", {"card_utilisation_percent": 71.0, "card_paid_in_full": 3.0}, {"card_paid_in_full": 2.0}),
    Case("U13", {"foreign_payments_14d": 3.0}, {"foreign_payments_14d": 2.0}),
    Case("U13", {"payments_abroad_14d": 3.0}, {"payments_abroad_14d": 2.0}),
    Case("U13", {"travel_bookings_14d": 1.0}, {"travel_bookings_14d": 0.0}),
    Case("U14", {"age": 17.0, "birthday_in_days": 30.0}, {"age": 18.0}),
    Case("U14", {"age": 17.0, "birthday_in_days": 1.0}, {"birthday_in_days": 0.0}),  # the 17th birthday itself
    Case("U14", {"age": 18.0, "birthday_in_days": 0.0}, {"birthday_in_days": 1.0}),
    Case("U14B", {"moment.kind": "birth"}, {"moment.kind": "marriage"}),
    Case("U14C", {"baby_shop_payments_90d": 3.0}, {"baby_shop_payments_90d": 2.0}),
    Case("U15", {"moment.outside_footprint": False}, {"moment.outside_footprint": True}),
    Case("U15B", {}, {"kind": "company"}),
    Case("U15C", {"moment.kind": "marriage"}, {"moment.kind": "retirement"}),
    Case("U16", {"business_credits_30d": 5.0}, {"kind": "company"}),
    Case("U17", {"broker_transfers_90d": 3.0}, {"broker_transfers_90d": 2.0}),
    Case("U18", {"days_since_overdrawn": 90.0}, {"shortfalls_90d": 1.0}),
    Case("U19", {"cards_active": 1.0, "card_payments_90d": 6.0}, {"card_payments_30d": 1.0}),
    Case(
        "U20",
        {"product_families": 1.0, "customer_debits_90d": 12.0, "next_product": "card"},
        {"next_product": ""},
    ),
    Case("U21", {"tier": "gold", "birthday_in_days": 7.0}, {"birthday_in_days": 8.0}),
    Case("U21B", {"tier": "profit", "tenure_days": 728.0, "anniversary_in_days": 3.0}, {"tenure_days": 20.0}),
    Case("U22", {"tier": "general", "potential_top": True, "potential_rising": True}, {"tier": "profit"}),
    Case("G1", {"complaint_open": True}, {"complaint_open": False}),
    Case("G1", {"fraud_case": True}, {"fraud_case": False}),
    Case("G1", {"loan_arrears": True}, {"loan_arrears": False}),
    Case("G1", {"vulnerable": True}, {"vulnerable": False}),
    Case("G1", {"bereaved": True}, {"bereaved": False}),
    Case("G2", {"missed_instalments_90d": 1.0}, {"missed_instalments_90d": 0.0}),
    Case("G2", {"shortfalls_30d": 2.0}, {"shortfalls_30d": 1.0}),
    Case("G2", {"overdrawn": True, "penalties_30d": 1.0}, {"overdrawn": False, "penalties_30d": 1.0}),
    Case("G2", {"overdrawn": True, "penalties_30d": 1.0}, {"overdrawn": True, "penalties_30d": 0.0}),
    Case("G2", {"gambling_payments_30d": 5.0}, {"gambling_payments_30d": 4.0}),
    Case("G2", {"short_term_loans_60d": 2.0}, {"short_term_loans_60d": 1.0}),
    Case("G2B", {**HOME, "missed_instalments_90d": 1.0}, {"missed_instalments_90d": 0.0}),
    Case("G2B", {**HOME, "shortfalls_30d": 2.0}, {"shortfalls_30d": 1.0}),
    Case("G2B", {**HOME, "overdrawn": True, "penalties_30d": 1.0}, {"penalties_30d": 0.0}),
    Case("G2B", {**HOME, "gambling_payments_30d": 5.0}, {"gambling_payments_30d": 4.0}),
    Case("G2B", {**HOME, "short_term_loans_60d": 2.0}, {"short_term_loans_60d": 1.0}),
    Case("G3", {}, {"marketing_consent": True}),
    Case("G3", {"marketing_consent": True, "marketing_refused": True}, {"marketing_refused": False}),
    Case("G3B", {"marketing_channels_refused": 1.0}, {"marketing_channels_refused": 0.0}),
    Case("G4", {"marketing_messages_7d": 2.0}, {"marketing_messages_7d": 1.0}),
]
