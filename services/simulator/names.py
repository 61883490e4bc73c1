"""What the synthetic country is made of: places, names, employers, shops, other banks. Data only, all made up."""

from typing import NamedTuple

DISTRICTS = (
    "BJ-CY", "BJ-HD", "SH-PD", "SH-XH", "GZ-TH", "SZ-NS", "HZ-XH", "CD-WH", "WH-HS", "NJ-GL", "XA-YT", "CQ-YZ",
)  # fmt: skip
BRANCHES_PER_DISTRICT = 3
BRANCHES = len(DISTRICTS) * BRANCHES_PER_DISTRICT
CITIES = {
    "BJ": "北京", "SH": "上海", "GZ": "广州", "SZ": "深圳", "HZ": "杭州",
    "CD": "成都", "WH": "武汉", "NJ": "南京", "XA": "西安", "CQ": "重庆",
}  # fmt: skip

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN_FEMALE = ("芳", "娜", "敏", "静", "丽", "秀英", "雪", "婷", "玉兰", "佳怡", "思琪", "梦洁", "欣怡", "慧", "琳")
GIVEN_MALE = ("伟", "强", "磊", "军", "洋", "勇", "杰", "涛", "明", "建国", "浩然", "子轩", "宇航", "志强", "鹏")

COMPANY_FIRST = ("华远", "金桥", "东海", "长青", "天和", "新宇", "安泰", "博雅", "恒达", "明德", "瑞丰", "中兴源")
COMPANY_TRADE = ("科技", "贸易", "建材", "物流", "食品", "医药", "传媒", "机械", "能源", "纺织")
EMPLOYERS = tuple(f"{first}{trade}有限公司" for first in COMPANY_FIRST[:8] for trade in COMPANY_TRADE[:5])

PAYDAYS = (5, 8, 10, 10, 15, 15, 20, 25, 28)


class Merchant(NamedTuple):
    """`category` is an ISO 18245 merchant category code."""

    name: str
    category: str


MERCHANTS = (
    Merchant("邻家超市", "5411"), Merchant("川味小馆", "5812"), Merchant("晨光咖啡", "5814"),
    Merchant("城市地铁", "4111"), Merchant("百货大楼", "5311"), Merchant("惠民药房", "5912"),
    Merchant("新书坊", "5942"), Merchant("星光影城", "7832"), Merchant("快行出租", "4121"),
    Merchant("优衣铺", "5651"), Merchant("家电城", "5732"), Merchant("加油站", "5541"),
)  # fmt: skip
AIRLINE = Merchant("远航航空", "4511")
ABROAD = (("JP", "Sakura Hotel"), ("TH", "Siam Resort"), ("FR", "Maison Lumiere"), ("SG", "Merlion Mart"))

OTHER_BANKS = ("OTHA", "OTHB", "OTHC", "OTHD")
COMPETITORS = ("CMPA", "CMPB")
"""Banks that the stories' money goes to; the reference tables name them as competitors."""
BROKER = "BRKA"
CALL_REASONS = ("fee", "limit", "card_declined", "app_problem", "transfer", "product_information")
FAMILIES = ("wealth", "mortgage", "loan", "term_deposit", "credit_card", "insurance")
