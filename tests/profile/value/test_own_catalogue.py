"""A bank's own entries of the catalogue, laid over the product's."""

import re
from pathlib import Path

import pytest

from schemas.catalogue import load_catalogue
from services.declared_files import PolicyError
from services.profile.adapters.policies import Declarations, declarations_of, files_of, load_declarations
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.series import Counting
from tests.profile.value.portrait import declarations

LOCKERS = "version: 3\nseries:\n  - {name: lockers, hours: true, where: {types: [locker.opened]}}\n"
MEASURES = """measures:
  - {name: lockers_24h, series: lockers, window: 24h, aggregate: count}
  - {name: logins_30d, series: logins, window: 45d, aggregate: count}
"""


def with_own(directory: Path, **files: str) -> Declarations:
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text)
    return load_declarations(catalogue=str(directory), refer=lambda name: f"p_{name}")


def test_a_file_of_the_bank_holds_its_own_entries_alone_and_all_others_stay(tmp_path: Path) -> None:
    shipped, own = declarations(), with_own(tmp_path, series=LOCKERS, measures=MEASURES)
    assert [one.name for one in own.series.series[-2:]] == ["marketing_sms", "lockers"]
    assert own.series.series[:-1] == shipped.series.series
    assert (own.series.candidates, own.series.party_flows) == (shipped.series.candidates, shipped.series.party_flows)
    before, after = ({one.name: one for one in declared.policy.measures.measures} for declared in (shipped, own))
    assert after.keys() - before.keys() == {"lockers_24h"}
    assert {name for name in before if before[name] != after[name]} == {"logins_30d"}
    assert after["logins_30d"].window == "45d"
    assert own.policy.measures.summed == shipped.policy.measures.summed


def test_a_series_of_several_lines_is_replaced_as_a_whole(tmp_path: Path) -> None:
    own = with_own(tmp_path, series="version: 1\nseries: [{name: housing, where: {direction: debit}}]\n").series
    [housing] = [one for one in own.series if one.name == "housing"]
    assert (housing.where.direction, housing.where.flows, housing.where.party_kinds) == ("debit", (), ())


def test_a_raise_of_the_product_s_version_or_of_the_bank_s_is_a_new_fold(tmp_path: Path) -> None:
    def fold(declared: Declarations) -> int:
        return Fold({}, Counting(declared.series), declared.series.version).version

    shipped = fold(declarations())
    first = fold(with_own(tmp_path, series="version: 1\n"))
    second = fold(with_own(tmp_path, series=LOCKERS))
    assert (first - shipped, second - shipped) == (1, 3)


def test_words_of_sources_are_added_and_a_word_may_get_other_codes(tmp_path: Path) -> None:
    own = with_own(
        tmp_path,
        reasons="- {reason: locker, codes: [locker, safe]}\n- {reason: fee, codes: [gebuehr]}\n",
        party_kinds="- {kind: broker, words: [broker, wealth_app]}\n",
    ).policy.reference
    told = [own.reasons.word(code) for code in ("safe", "gebuehr", "charge", "closing")]
    assert told == ["locker", "fee", "charge", "close_account"]
    assert own.reasons.leaving == declarations().policy.reference.reasons.leaving
    assert [own.party_kind(word) for word in ("wealth_app", "securities", "self")] == ["broker", None, "own"]


def test_a_scale_takes_a_threshold_or_a_dimension_and_keeps_the_rest(tmp_path: Path) -> None:
    terms = "terms: [{measure: families, weight: 1, steps: [[0, 0], [4, 100]]}]"
    text = f"by_kind:\n  company:\n    dimensions:\n      - {{name: breadth, weight: 30, {terms}}}\n"
    own, shipped = with_own(tmp_path, value=text).policy.scales, declarations().policy.scales
    assert own.by_kind["person"] == shipped.by_kind["person"]
    assert own.by_kind["company"].thresholds == shipped.by_kind["company"].thresholds
    weights = {one.name: one.weight for one in own.by_kind["company"].dimensions}
    assert weights == {"contribution": 55, "risk": 20, "breadth": 30, "potential": 15}


ONE = "version: 1\nseries:\n  - {name: lockers, where: {}}\n"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"series": "series: []\n"}, "series.yaml:1: version: 1 to 900 is expected, raised with every change"),
        ({"series": "# ours\nversion: 2026\n"}, "series.yaml:2: version: 1 to 900 is expected"),
        ({"series": "version: 1\nsereis: []\n"}, "series.yaml:2: sereis: Object contains unknown field"),
        ({"series": ONE.replace("where", "wher")}, "series.yaml:3: series.lockers.wher: Object contains unknown field"),
        ({"series": ONE + "  - {where: {}}\n"}, "series.yaml:4: series.1: Object missing required field `name`"),
        ({"series": ONE + "  - text\n"}, "series.yaml:4: series.1: Expected `object`"),
        (
            {"series": ONE + "  - {name: outflow, sums: true, where: {}}\n"},
            "series.yaml:4: series.outflow: outflow_24h (sum of 24h) needs `hours: true` of series outflow",
        ),
        (
            {"series": "version: 1\nseries:\n  - {name: fees, where: {direction: debit}}\n"},
            "series.yaml:3: series.fees: fees_30d (sum of 30d) needs `sums: true` of series fees",
        ),
        (
            {"measures": "measures:\n  - {name: fees_24h, series: fees, window: 24h, aggregate: count}\n"},
            "measures.yaml:2: measures.fees_24h: fees_24h (count of 24h) needs `hours: true` of series fees",
        ),
        ({"measures": MEASURES}, "measures.yaml:2: measures.lockers_24h.series: no series is called lockers"),
        (
            {"series": LOCKERS, "measures": MEASURES + MEASURES.partition("\n")[2]},
            "measures.yaml:5: measures.logins_30d.name: logins_30d stands here for the second time",
        ),
        (
            {"measures": "measures:\n  - {name: assets, series: logins, window: 3d, aggregate: count}\n"},
            "measures.yaml:2: measures.assets.name: a fact of the product has this name",
        ),
        (
            {"measures": MEASURES.replace("45d", "45w")},
            "measures.yaml:3: measures.logins_30d: measure logins_30d: a window from",
        ),
        ({"measures": MEASURES + MEASURES}, "measures.yaml:4: measures is written twice"),
        ({"measures": MEASURES.replace("window: 24h", "name: x")}, "measures.yaml:2: name is written twice"),
        ({"measures": "measures:\n  - &a [x, x]\n  - &b [*a, *a]\n"}, "measures.yaml:2: anchors and aliases are not"),
        ({"measures": "[a]: b\n"}, "measures.yaml:1: found unhashable key"),
        ({"measures": "measures:\n"}, "measures.yaml:1: measures: Expected `array`, got `null`"),
        (
            {"value": "by_kind:\n  person: {thresholds: [{tier: gold, enter: 40, leave: 38}]}\n"},
            "value.yaml:2: by_kind.person.thresholds: each tier is left below where it is entered",
        ),
        ({"portfolio": "capacity: 0\n"}, "portfolio.yaml:1: capacity: a positive number of customers"),
        (
            {"portfolio": "roster:\n  - {manager_id: M-1}\n  - {manager_id: M-1}\n"},
            "portfolio.yaml:3: roster.M-1.manager_id: M-1 stands here for the second time",
        ),
        (
            {"reasons": "- {reason: locker, codes: [locker]}\n- {reason: money, codes: [fees]}\n"},
            "reasons.yaml:2: money.codes: fees stands here for the second time",
        ),
        ({"party_kinds": "- {kind: own, words: [x, x]}\n"}, "party_kinds.yaml:1: own.words: x stands"),
        ({"party_kinds": "- {kind: pawnbroker, words: [x]}\n"}, "party_kinds.yaml:1: pawnbroker.kind: Invalid enum"),
        ({"rates": "base: CNY\n"}, "rates.yaml is read by nobody in this directory, but measures.yaml, party_kinds"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_the_line_of_the_bank_s_own_file(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(says)):
        with_own(tmp_path, **files)


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (LOCKERS, "series.yaml:3: series.lockers.where.types.0: no event type is called locker.opened"),
        (
            "version: 1\ncandidates:\n  - name: gone\n    where:\n      types: [account.closed, acount.closed]\n",
            "series.yaml:5: candidates.gone.where.types.1: no event type is called acount.closed; did you mean",
        ),
    ],
)
def test_what_counts_an_event_type_that_is_not_declared_is_refused(tmp_path: Path, series: str, says: str) -> None:
    """It would count nothing for ever, and a rule that asks for it never hold."""
    (tmp_path / "series.yaml").write_text(series)
    written, product = files_of(str(tmp_path)).texts(), load_catalogue()
    with pytest.raises(PolicyError, match=re.escape(says)):
        declarations_of(written, None, product)
    declared = dict.fromkeys(("locker.opened", "acount.closed"), product["account.closed"])
    declarations_of(written, None, {**product, **declared})


@pytest.mark.parametrize(("where", "says"), [
    ("flows: [cards]", "flows.0: no flow is called cards; did you mean card?"),
    ("not_flows: [fee, fees]", "not_flows.1: no flow is called fees; did you mean fee?"),
    ("channels: [on_line]", "channels.0: no channel is called on_line; did you mean online?"),
    ("direction: debt", "direction: credit or debit is expected"),
    (
        "attributes: {reasn: [fee]}",
        "attributes.reasn: no attribute of any event type is called reasn: did you mean reason?",
    ),
    (
        "types: [login.failed], not_attributes: {merchant_category: ['4511']}",
        "not_attributes.merchant_category: no attribute of login.failed is called merchant_category: known are",
    ),
    (
        "types: [call.ended, chat.abandoned], attributes: {outcom: [abandoned]}",
        "attributes.outcom: no attribute of call.ended or chat.abandoned is called outcom: did you mean outcome?",
    ),
])  # fmt: skip
def test_what_counts_by_a_word_that_there_is_not_is_refused(tmp_path: Path, where: str, says: str) -> None:
    (tmp_path / "series.yaml").write_text(f"version: 1\nseries:\n  - {{name: own, where: {{{where}}}}}\n")
    written = files_of(str(tmp_path)).texts()
    with pytest.raises(PolicyError, match=rf"^series\.yaml:3: series\.own\.where\.{re.escape(says)}"):
        declarations_of(written, None, load_catalogue())


@pytest.mark.parametrize(("entry", "says"), [
    ("{direction: credt, party_kinds: [employer], flow: salary}", "direction: credit or debit is expected"),
    ("{direction: credit, party_kinds: [pensioner], flow: pensions}", "flow: no flow is called pensions; did you mean"),
])  # fmt: skip
def test_what_a_party_cannot_pay_for_is_refused(tmp_path: Path, entry: str, says: str) -> None:
    (tmp_path / "series.yaml").write_text(f"version: 1\nparty_flows:\n  - {entry}\n")
    written = files_of(str(tmp_path)).texts()
    with pytest.raises(PolicyError, match=rf"^series\.yaml:3: party_flows\.\w+\.{re.escape(says)}"):
        declarations_of(written, None, load_catalogue())


def test_a_table_of_the_bank_is_its_own_as_a_whole_and_one_that_nobody_reads_is_told(tmp_path: Path) -> None:
    (tmp_path / "rates.yaml").write_text("base: CNY\nrates: {USD: {2026-01-01: '7.00'}}\n")
    (tmp_path / "calendar.DE.yaml").write_text("of another bank")
    rates = load_declarations(reference=str(tmp_path)).policy.reference
    assert [rates.rate(currency, 30_000) for currency in ("USD", "EUR")] == [7_000_000, None]
    (tmp_path / "reasons.yaml").write_text("[]")
    with pytest.raises(PolicyError, match=r"reasons\.yaml is read by nobody in this directory"):
        files_of(reference=str(tmp_path)).texts()
