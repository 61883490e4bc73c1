"""Texts with what was seen filled in: numbers as people write them, codes as people call them."""

from schemas.changes import Fact
from services.alerts.domain.rules import Text
from services.alerts.domain.wording import NO_LABELS, Amounts, filled, what_changed

LABELS = {"job_loss": Text(en="loss of a job", zh="失业")}


def test_a_code_is_called_in_each_language_as_people_call_it() -> None:
    text = Text(en="Recorded: {moment.kind}", zh="已登记: {moment.kind}")
    assert filled(text, {"moment.kind": "job_loss"}, LABELS) == Text(en="Recorded: loss of a job", zh="已登记: 失业")


def test_what_has_no_label_stands_as_it_came_and_what_nobody_saw_is_a_question() -> None:
    text = Text(en="{tier}, {amount}, {unseen}", zh="{tier}, {amount}, {unseen}")
    seen: dict[str, Fact] = {"tier": "platinum", "amount": 1234.5}
    assert filled(text, seen, LABELS) == Text(en="platinum, 1,234.50, ?", zh="platinum, 1,234.50, ?")


def test_money_is_told_in_the_bank_s_currency_as_each_language_writes_it() -> None:
    amounts = Amounts(frozenset({"assets", "moment.amount_home"}), "CNY")
    text = Text(en="{assets}, {moment.amount_home}, {n}, {tier}", zh="{assets}, {moment.amount_home}, {n}, {tier}")
    seen: dict[str, Fact] = {"assets": 80_000.0, "moment.amount_home": -1234.5, "n": 3.0, "tier": "gold"}
    assert filled(text, seen, NO_LABELS, amounts).en == "CNY 80,000, CNY -1,234.50, 3, gold"
    yuan = {"CNY": Text(en="CNY", zh="元")}
    assert filled(text, seen, yuan, amounts).zh == "80,000 元, -1,234.50 元, 3, gold"
    assert filled(text, {}, yuan, amounts).en == "?, ?, ?, ?", "what nobody saw has none"
    assert filled(text, {**seen, "assets": 0.0}, yuan, amounts).zh.startswith("0 元")
    said = what_changed({"assets": 5e5, "n": 1.0}, {}, amounts)
    assert said == ": assets was CNY 500,000, is CNY 0, n was 1, is 0"


def test_a_clause_is_left_out_where_a_figure_is_less_than_it_is_told_for() -> None:
    text = Text(en="Signs:[ {n>=30} days of rest,][ {paid} {paid|bill|bills}]", zh="x[{n>=2.5}]")

    def told(**seen: Fact) -> Text:
        return filled(text, seen)

    assert told(n=30.0, paid=1.0) == Text(en="Signs: 30 days of rest, 1 bill", zh="X30")
    assert told(n=29.0, paid=2.0) == Text(en="Signs: 2 bills", zh="X29")
    assert (told(n=2.5).zh, told(n=2.4).zh, told().zh, told(n=True).zh) == ("X2.50", "X", "X", "X")
    twice = Text(en="Signs:[ {n} of {n>=3}]", zh="")
    assert [filled(twice, {"n": n}).en for n in (2.0, 3.0)] == ["Signs:", "Signs: 3 of 3"]


def test_money_has_the_decimals_of_its_currency() -> None:
    def told(currency: str) -> str:
        seen: dict[str, Fact] = {"a": 1234.567, "n": 2.345}
        return filled(Text(en="{a}, {n}", zh=""), seen, NO_LABELS, Amounts(frozenset("a"), currency)).en

    assert [told(one) for one in ("KWD", "CNY", "JPY", "")] == [
        "KWD 1,234.567, 2.35", "CNY 1,234.57, 2.35", "JPY 1,235, 2.35", "1,234.57, 2.35",
    ]  # fmt: skip


def test_a_yes_is_said_in_each_language() -> None:
    assert filled(Text(en="{paid} {late}", zh="{paid} {late}"), {"paid": True, "late": False}) == Text(
        en="yes no", zh="是 否"
    )


def test_a_clause_in_brackets_is_left_out_where_all_that_it_names_is_nothing() -> None:
    text = Text(en="[looked {times} times][; an application ({family}) waits]", zh="[浏览 {times} 次][, 申请 {family}]")
    both: dict[str, Fact] = {"times": 2.0, "family": "loan"}
    assert filled(text, both) == Text(en="Looked 2 times; an application (loan) waits", zh="浏览 2 次, 申请 loan")
    assert filled(text, {**both, "times": 0.0}) == Text(en="An application (loan) waits", zh="申请 loan")
    assert filled(text, {"times": 2.0, "family": ""}) == Text(en="Looked 2 times", zh="浏览 2 次")


def test_one_and_many_are_said_as_people_say_them() -> None:
    text = Text(en="{n} {n|product was|products were} closed", zh="关闭 {n} 个产品")
    told = [filled(text, {"n": n}).en for n in (0.0, 1.0, 2.0)]
    assert told == ["0 products were closed", "1 product was closed", "2 products were closed"]
    assert filled(text, {}).en == "? products were closed"
    assert filled(text, {"n": 1.0}).zh == "关闭 1 个产品"


def test_a_yes_and_a_no_choose_their_words_and_a_clause_without_its_yes_is_left_out() -> None:
    text = Text(en="{open|a complaint is open|all is well}", zh="{open|投诉未结|}")
    assert [filled(text, {"open": is_open}) for is_open in (True, False)] == [
        Text(en="a complaint is open", zh="投诉未结"),
        Text(en="all is well", zh=""),
    ]
    clause = Text(en="seen:[ {n} {n|call|calls},][ {open|a complaint|},]", zh="-")
    assert filled(clause, {"n": 1.0, "open": False}).en == "Seen: 1 call"


def test_brackets_that_name_nothing_stand_as_they_are() -> None:
    text = Text(en="see [manual, 4], {times} times", zh="见 [手册 4], {times} 次")
    assert filled(text, {"times": 2.0}) == Text(en="see [manual, 4], 2 times", zh="见 [手册 4], 2 次")
