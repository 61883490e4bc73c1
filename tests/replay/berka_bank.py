"""A tiny bank in the format of the PKDD'99 files, made up for the tests: no line of it comes from the published set."""

from pathlib import Path

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
