"""A tiny bank in the format of the PKDD'99 files, made up for the tests: no line of it comes from the published set."""

from collections.abc import Iterator
from pathlib import Path

from services.replay.berka_chain import in_chain_order
from services.replay.berka_files import read_transactions

FILES = {
    "district": ["A1;A2;A3", '1;"Horni Lhota";"north"', '2;"Dolni Lhota";"north"'],
    "account": [
        '"account_id";"district_id";"frequency";"date"',
        '11;1;"POPLATEK MESICNE";930105',
        '12;2;"POPLATEK TYDNE";930110',
    ],
    "client": [
        '"client_id";"birth_number";"district_id"',
        '1;"455612";1',  # a woman, born 12 June 1945
        '2;"701231";2',
        '3;"800101";1',
    ],
    "disp": [
        '"disp_id";"client_id";"account_id";"type"',
        '21;2;11;"DISPONENT"',
        '22;1;11;"OWNER"',
        '23;3;12;"OWNER"',
    ],
    "card": ['"card_id";"disp_id";"type";"issued"', '31;22;"classic";930201 00:00:00'],
    "loan": [
        '"loan_id";"account_id";"date";"amount";"duration";"payments";"status"',
        '41;11;930131;12000;1;12000.00;"A"',
        '42;12;930131;24000;12;2000.00;"D"',
    ],
    "order": [
        '"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"',
        '51;11;"XX";"777";300.00;"SIPO"',
        '52;12;"YY";"888";50.00;" "',
    ],
    "trans": [
        '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"',
        '101;11;930105;"PRIJEM";"VKLAD";1000.00;1000.00;"";;',
        # one day, told backwards: 1000, 500 in, interest, 200 out, 14.60 out; the interest is rounded to ten hellers
        '105;11;930131;"VYDAJ";"VYBER";14.60;1286.10;"SLUZBY";;0',
        '104;11;930131;"VYDAJ";"VYBER KARTOU";200.00;1300.70;" ";;0',
        '103;11;930131;"PRIJEM";"PREVOD Z UCTU";500.00;1500.00;"";"ZZ";"999"',
        '102;11;930131;"PRIJEM";"";0.77;1500.70;"UROK";;',
        '106;12;930110;"PRIJEM";"PREVOD Z UCTU";3000.00;3000.00;"DUCHOD";"ZZ";"998"',
        # two that no chain joins: file order stands
        '108;12;930120;"VYBER";"VYBER";10.00;500.00;"";;',
        '107;12;930120;"VYDAJ";"PREVOD NA UCET";300.00;190.00;"SIPO";"XX";"777"',
        '109;12;930228;"VYDAJ";"VYBER";20.00;170.00;"SANKC. UROK";;',
    ],
}


def write_berka_bank(directory: Path) -> Path:
    for name, lines in FILES.items():
        (directory / f"{name}.asc").write_bytes("\r\n".join([*lines, ""]).encode())
    return directory


def write_berka_lives(directory: Path) -> Path:
    """Another made-up bank: from January 1993 to March 1994, twelve accounts with something to tell. 1 to 5 have a
    pension, 6 to 8 send most of what they have to another bank, 9 and 10 are overdrawn once, 11 and 12 never pay their
    loan back."""
    files: dict[str, list[str]] = {name: [lines[0]] for name, lines in FILES.items()}
    files["district"] = FILES["district"]
    for number in range(1, 13):
        files["account"].append(f'{number};1;"POPLATEK MESICNE";930105')
        files["client"].append(f'{number};"4512{number + 10}";1')
        files["disp"].append(f'{number};{number};{number};"OWNER"')
        files["trans"] += _life(number)
    files["loan"] += ['1;11;930705;12000;12;1000.00;"B"', '2;12;930805;12000;12;1000.00;"B"']
    for name, lines in files.items():
        (directory / f"{name}.asc").write_bytes("\r\n".join([*lines, ""]).encode())
    return directory


def _life(number: int) -> Iterator[str]:
    """The lines of an account, all days of its own."""
    balance = 20_000.0
    yield f'{number}000;{number};930105;"PRIJEM";"VKLAD";{balance:.2f};{balance:.2f};"";;'
    for month in range(1, 16):
        year, place = (93, month) if month <= 12 else (94, month - 12)
        for day, change, words in _month(number, month, balance):
            balance += change
            kind = "PRIJEM" if change > 0 else "VYDAJ"
            line = f"{number}{month:02}{day:02};{number};{year}{place:02}{day:02}"
            yield f'{line};"{kind}";{words[0]};{abs(change):.2f};{balance:.2f};{words[1]}'


def _month(number: int, month: int, balance: float) -> Iterator[tuple[int, float, tuple[str, str]]]:
    """Day, change, and the columns that say what it was."""
    yield 6, 9_000.0, ('"PREVOD Z UCTU"', '"";"ZZ";"999"')
    if number <= 5:
        yield 7, 5_000.0, ('"PREVOD Z UCTU"', '"DUCHOD";"ZZ";"998"')
    yield 10, -4_000.0, ('"VYBER"', '"";;')
    leaving = number in (6, 7, 8) and month == 11
    for day in (12, 13, 14) if leaving else ():
        yield day, -12_000.0, ('"PREVOD NA UCET"', '"";"YY";"777"')
    yield 15, -2_000.0, ('"PREVOD NA UCET"', '"SIPO";"XX";"888"')
    overdraws = number in (9, 10) and month == 9
    yield 20, -(balance + 3_500.0 if overdraws else 1_500.0), ('"VYBER"', '"";;')
    if overdraws:
        yield 27, -3.0, ('"VYBER"', '"SANKC. UROK";;')
    yield 28, -14.6, ('"VYBER"', '"SLUZBY";;')


def expected_balances(directory: Path) -> dict[str, int]:
    """Account number → hellers at the end of its chain."""
    return {
        ordered.transaction.account_id: ordered.transaction.balance
        for ordered in in_chain_order(read_transactions(directory))
    }
