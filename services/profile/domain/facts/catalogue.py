"""Every fact that a rule or a screen may ask for, told once; measures (`catalogue/measures.yaml`) are facts, too."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from schemas.changes import AT_REST, Fact, FactType
from services.profile.domain.customers.measures import MeasureRule, Measures

BOOKS = ("corebank", "counter", "atm", "online", "mobile", "pos", "wechat")
DIGITAL = ("online", "mobile", "wechat")
SERVICE = ("call_center", "counter", "online", "mobile", "wechat")
DESK = ("corebank", "counter")
CARDS = ("pos", "atm", "online", "mobile")


class FactDeclared(NamedTuple):
    """`channels`: one of them needs a registered source for the fact to be covered; empty: it always is. `unit`: money
    is in major units of the home currency. `a_day`: how much the fact changes in a day without events."""

    name: str
    type: FactType
    unit: str
    meaning: str
    channels: tuple[str, ...] = ()
    a_day: int = 0

    @property
    def at_rest(self) -> Fact:
        return AT_REST[self.type]


def _number(name: str, unit: str, meaning: str, channels: tuple[str, ...] = ()) -> FactDeclared:
    return FactDeclared(name, "number", unit, meaning, channels)


def _since(name: str, meaning: str, channels: tuple[str, ...] = ()) -> FactDeclared:
    return FactDeclared(name, "number", "days", meaning, channels, 1)


def _until(name: str, meaning: str, channels: tuple[str, ...] = ()) -> FactDeclared:
    return FactDeclared(name, "number", "days", meaning, channels, -1)


def _hours(name: str, meaning: str, channels: tuple[str, ...] = ()) -> FactDeclared:
    return FactDeclared(name, "number", "hours", meaning, channels, 24)


def _flag(name: str, meaning: str, channels: tuple[str, ...] = ()) -> FactDeclared:
    return FactDeclared(name, "boolean", "", meaning, channels)


def _text(name: str, meaning: str, channels: tuple[str, ...] = ()) -> FactDeclared:
    return FactDeclared(name, "string", "", meaning, channels)


_FACTS: tuple[FactDeclared, ...] = (
    _text("kind", "anonymous, person, company, household or group"),
    _text("tier", "gold, profit or general; empty before the first judgement"),
    _since("tier_days", "Since the tier was taken"),
    _text("owner", "Manager who answers for the customer; empty when nobody does"),
    _text("acting_owner", "Who answers now: the owner, or the delegate in an absence; empty when nobody does"),
    _text("branch", "Branch that keeps the customer or an account; the first by name where there are several"),
    _text("former_owner", "Manager who did before"),
    _since("owner_days", "Since the owner took over"),
    _number("members", "count", "Customer numbers in the household or group; 0 for any other customer"),
    _number("value_score", "points", "Score of the value scale, 0-100"),
    _number("potential_points", "points", "Of the value scale's potential, 0-100"),
    _flag("potential_top", "At the end of the month before as many as the best tenth of the general tier"),
    _flag("potential_rising", "More at the end of the month before than a month earlier"),
    _text("next_product", "Family that similar customers hold most often and this one does not; empty without one"),
    _number("next_product_share_percent", "percent", "Of similar customers, who hold it"),
    _since("tenure_days", "Since the relation began"),
    _flag("began_with_salary", "The first salary came within 90 days of registration or the first account"),
    _until("anniversary_in_days", "Until the next anniversary of the relation, 0 on the day itself"),
    _number("anniversary_years", "years", "Since the relation began, on its next anniversary"),
    # balances
    _number("balance_total", "money", "Balance of all accounts now", BOOKS),
    _number("balance_7d_ago", "money", "At the close of the day (UTC) seven days ago", BOOKS),
    _number("balance_30d_ago", "money", "At the close of the day (UTC) thirty days ago", BOOKS),
    _number("balance_mean_30d", "money", "Mean closing balance of 30 days, of those that are known", BOOKS),
    _number("balance_mean_365d", "money", "Mean of the known days of a year: 90 by day, the others by month", BOOKS),
    _number("balance_deviation_365d", "money", "Standard deviation of the same", BOOKS),
    _number("balance_lowest_60d", "money", "Lowest closing balance of 60 days; unknown where one of them is", BOOKS),
    _number("balance_lowest_90d", "money", "Lowest closing balance of 90 days; unknown where one of them is", BOOKS),
    _number("balance_below_usual_checks", "count", "Of two weekly checks: 30 days far under the year", BOOKS),
    _number("current_lowest_60d", "money", "The lowest of 60 days on accounts that are no savings, or unknown", BOOKS),
    _flag("overdrawn", "Those accounts together are below nothing", BOOKS),
    _since("days_since_overdrawn", "Since they last were; 0 when they are, or were not within a year", BOOKS),
    # money that leaves
    _number("external_outflow_7d", "money", "Sent to other banks within 7 days", BOOKS),
    _number("external_outflow_30d", "money", "Sent to other banks within 30 days", BOOKS),
    _number("external_inflow_30d", "money", "Came from other banks within 30 days", BOOKS),
    _number("competitor_transfers_30d", "count", "Transfers to competitors within 30 days", BOOKS),
    _number("competitor_outflow_30d", "money", "Sent to competitors within 30 days", BOOKS),
    _number("competitor_outflow_90d", "money", "Sent to competitors within 90 days", BOOKS),
    _number("own_elsewhere_transfers_2m", "count", "To the own name elsewhere, or called own if more; 2 months", BOOKS),
    _number("broker_transfers_90d", "count", "Transfers to brokers within 90 days", BOOKS),
    _number("lender_payments_60d", "count", "Payments to other lenders within 60 days", BOOKS),
    _number("lender_monthly_payment", "money", "What goes to other lenders regularly, a month", BOOKS),
    _number("short_term_loans_60d", "count", "Payments to lenders of short-term credit within 60 days", BOOKS),
    _number("usual_monthly_outflow", "money", "Median of the last full months", BOOKS),
    _number("usual_monthly_outflow_spread", "money", "Median absolute deviation of the same", BOOKS),
    _number("usual_monthly_inflow", "money", "Median of the last full months", BOOKS),
    _number("usual_monthly_inflow_spread", "money", "Median absolute deviation of the same", BOOKS),
    _flag("pays_rent", "A rent is paid regularly", BOOKS),
    _number("rent_months_in_a_row", "count", "Months without a gap in which a rent was paid, at most 6", BOOKS),
    # income
    _flag("has_salary", "Somebody pays a salary or pension regularly", BOOKS),
    _number("salary_usual", "money", "Median of what is usually paid", BOOKS),
    _number("salary_last", "money", "What was paid last", BOOKS),
    _number("salary_last_percent", "percent", "The last one in percent of the median before it", BOOKS),
    _number("salary_received_percent", "percent", "What came in the last two periods of what usually comes", BOOKS),
    _number("salary_reduced_periods", "count", "How many of the latest in a row were at most 60 % of usual", BOOKS),
    _number("salary_raised_periods", "count", "How many of the latest in a row were at least 110 % of usual", BOOKS),
    _number("salary_missed", "count", "Paydays gone by, tolerance included, without even a fifth of it", BOOKS),
    _since("salary_days_overdue", "Since the payday that was not met; 0 within the tolerance", BOOKS),
    _number("salary_credits", "count", "Credits that the salary was learned from", BOOKS),
    _since("salary_known_days", "Since the first of those credits; 0 without one", BOOKS),
    _number("salary_first_after_days", "days", "To it from the first event; unknown where some may be older", BOOKS),
    # holdings
    _number("accounts_open", "count", "Open accounts in a role that counts", BOOKS),
    _number("product_families", "count", "Kinds of need that the bank serves: current, savings, card, payroll, …"),
    _number("products_closed_90d", "count", "Accounts, loans and products closed within 90 days"),
    _number("cards_active", "count", "Cards issued, neither blocked nor expired"),
    _number("card_utilisation_percent", "percent", "Of the limit, by the statement of the valid card used most", DESK),
    _number("card_paid_in_full", "count", "Statements in a row that were paid in full when due", DESK),
    _number("mandates_active", "count", "Standing orders and direct debits in force, through their last day"),
    _number("mandates_active_30d_ago", "count", "Those in force thirty days ago"),
    _number("mandates_cancelled_30d", "count", "Those cancelled within 30 days and not set up again"),
    _number("loans_open", "count", "Loans not repaid"),
    _number("loan_outstanding", "money", "Principal still owed, where told", DESK),
    _number("loan_repaid_percent", "percent", "Of the principal of the open loans, where told", DESK),
    _flag("loan_arrears", "An instalment was missed and none paid since", DESK),
    _number("loan_instalment", "money", "Regular instalments of the open loans, where told", DESK),
    _until("loan_ends_in_days", "Until the first open loan ends; 0 where no end was told", DESK),
    _number("mortgages_open", "count", "Mortgages not repaid"),
    _until("fixed_rate_ends_in_days", "Until the first fixed rate ends; 0 without one", DESK),
    _number("deposits_open", "count", "Term deposits not matured"),
    _until("deposit_matures_in_days", "Until the next maturity without an instruction; 0 without one"),
    _flag("deposit_maturing_uninstructed", "A term deposit matures within 30 days and nobody said what then"),
    _number("deposit_maturing_amount", "money", "Of those"),
    _flag("deposit_matured_uninstructed", "A term deposit matured within 7 days and nobody said what then"),
    _number("deposit_matured_amount", "money", "Of those"),
    # assets
    _number("assets", "money", "Assets under management: accounts, term deposits, wealth at cost", BOOKS),
    _number("assets_change_30d", "money", "Against 30 days ago", BOOKS),
    _number("assets_change_90d", "money", "Against 90 days ago", BOOKS),
    _text("assets_direction", "rising, falling, steady or unknown", BOOKS),
    _text("assets_band", "below, near or above the private-banking threshold", BOOKS),
    _text("assets_former_band", "The band before this one; empty when it never changed", BOOKS),
    _since("assets_band_days", "Since the band was entered", BOOKS),
    _number("assets_to_private_banking", "money", "What is missing to the threshold; negative above it", BOOKS),
    _number("assets_percent_of_private_banking", "percent", "Of the threshold, the household's where greater", BOOKS),
    _number("household_assets", "money", "Of the richest household of the customer", BOOKS),
    # behaviour
    _since("days_since_last_login", "Since the last sign-in; 0 when there was none within 25 months", DIGITAL),
    _number("longest_login_gap_days", "days", "Longest gap of the last 30 days with one; 0 when not learned", DIGITAL),
    _number("usual_login_gap_days", "days", "Median days between those days; 0 when not learned", DIGITAL),
    _flag("logs_in", "There was a sign-in within 400 days", DIGITAL),
    _since("days_since_customer_debit", "Since the customer last moved money; 0 when not within 25 months", BOOKS),
    _since("days_since_last_event", "Since anything happened"),
    _hours("application_open_hours", "Since the oldest unfinished application of 30 days began", SERVICE),
    _text("application_open_family", "Its product family"),
    _number("interest_shown_72h", "count", "Looks at one family within 72 hours, the last in 14 days", SERVICE),
    _text("interest_family", "That family, if it was not applied for", SERVICE),
    _hours("hours_since_interest", "Since it was last looked at", SERVICE),
    # contacts and cases
    _number("contacts_7d", "count", "Contacts within 7 days, any channel, calls by the bank too", SERVICE),
    _number("contacts_30d", "count", "Contacts within 30 days, any channel, calls by the bank too", SERVICE),
    _number("contacts_same_reason_7d", "count", "Most that the customer began, of one reason, within 7 days", SERVICE),
    _text("contacts_same_reason", "That reason", SERVICE),
    _number("channel_hops_7d", "count", "Calls and visits within a day of a step that failed about the same", SERVICE),
    _text("channel_hop_reason", "What most of them were about", SERVICE),
    _number("leaving_enquiries_30d", "count", "Closing, payout figure or switch asked for within 30 days", SERVICE),
    _number("abandoned_waits_7d", "count", "Tickets, calls and chats that the customer gave up within 7 days", SERVICE),
    _since("days_since_last_contact", "Since the last contact; 0 when there was none within 25 months", SERVICE),
    _number("open_cases", "count", "Cases not resolved", SERVICE),
    _flag("complaint_open", "A complaint is not resolved", SERVICE),
    _flag("complaint_overdue", "An open complaint has passed its due time", SERVICE),
    _flag("complaint_reopened", "An open complaint had been resolved before", SERVICE),
    _since("complaint_open_days", "Since the oldest open complaint was opened", SERVICE),
    _flag("fraud_case", "A fraud case is not resolved", SERVICE),
    _number("feedback_last_percent", "percent", "The last score given in percent of the scale; 0 when never", SERVICE),
    _since("days_since_feedback", "Since then", SERVICE),
    # person
    _number("age", "years", "Unknown without a birth date"),
    _until("birthday_in_days", "Until the next birthday, 0 on the day itself; unknown without a birth date"),
    _flag("vulnerable", "Flagged as needing special care, until it is over where an end was told", SERVICE),
    _flag("bereaved", "A bereavement was recorded within a year", SERVICE),
    _flag("separated", "A divorce or separation was recorded within a year", SERVICE),
    _since("days_since_life_event", "Since the last life event; 0 when there never was one", SERVICE),
    _text("last_life_event", "Which one", SERVICE),
    _since("days_since_move", "Since the address changed; 0 when it never did", SERVICE),
    _flag("outside_footprint", "The last address was said to be outside the branches' reach", SERVICE),
    _flag("marketing_consent", "Marketing was agreed to, not withdrawn, and not for a time that is over", SERVICE),
    _flag("marketing_refused", "Marketing consent was withdrawn", SERVICE),
    _number("marketing_channels_refused", "count", "Contact channels on which marketing was refused", SERVICE),
)  # fmt: skip
FACTS: Mapping[str, FactDeclared] = {fact.name: fact for fact in _FACTS}
RUNNING: Mapping[str, FactDeclared] = {name: fact for name, fact in FACTS.items() if fact.a_day}
"""Those that time alone moves, steadily."""


def fact_of(rule: MeasureRule, summed: frozenset[str]) -> FactDeclared:
    unit = "money" if rule.series in summed and rule.aggregate != "count" else "count"
    return FactDeclared(rule.name, "number", unit, rule.meaning or f"{rule.aggregate} of {rule.series}, {rule.window}")


def catalogue(measures: Measures) -> Iterator[FactDeclared]:
    """All facts of a deployment, as `/facts` serves them."""
    yield from _FACTS
    for rule in measures.measures:
        yield fact_of(rule, measures.summed)


def with_rests(
    values: Mapping[str, Fact], unknown: Collection[str], declared: Iterable[FactDeclared]
) -> dict[str, Fact]:
    """The facts that were named together with those at rest, in the order of declaration."""
    return {one.name: values.get(one.name, one.at_rest) for one in declared if one.name not in unknown}
