"""Fictitious customers with plausible names. Any likeness to living people is chance."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from shared.contracts.payload import Language, Market

# Written form and the romanisation that goes into the mail address.
_HONG_KONG = (
    [("陳", "chan"), ("李", "lee"), ("黃", "wong"), ("張", "cheung"), ("梁", "leung"), ("何", "ho"), ("鄭", "cheng")],
    [
        ("美玲", "meiling"),
        ("志明", "chiming"),
        ("嘉欣", "kayan"),
        ("家豪", "kaho"),
        ("詠詩", "wingsze"),
        ("俊傑", "chunkit"),
    ],
)
_TAIWAN = (
    [("林", "lin"), ("陳", "chen"), ("王", "wang"), ("吳", "wu"), ("蔡", "tsai"), ("許", "hsu"), ("曾", "tseng")],
    [
        ("雅婷", "yating"),
        ("冠宇", "kuanyu"),
        ("怡君", "yichun"),
        ("承翰", "chenghan"),
        ("淑芬", "shufen"),
        ("柏翰", "pohan"),
    ],
)
_MAINLAND = (
    [("王", "wang"), ("刘", "liu"), ("杨", "yang"), ("赵", "zhao"), ("周", "zhou"), ("孙", "sun"), ("马", "ma")],
    [("伟", "wei"), ("秀英", "xiuying"), ("子涵", "zihan"), ("浩然", "haoran"), ("丽娜", "lina"), ("志强", "zhiqiang")],
)
_ENGLISH = (
    ["Chan", "Wong", "Lau", "Taylor", "Singh", "Fernandes", "Murray"],
    ["Grace", "Daniel", "Priya", "Oliver", "Joyce", "Marcus", "Elaine"],
)
_BY_MARKET = {Market.HONG_KONG: _HONG_KONG, Market.TAIWAN: _TAIWAN, Market.MAINLAND_CHINA: _MAINLAND}

_LANGUAGES: dict[Market, tuple[tuple[Language, ...], tuple[int, ...]]] = {
    Market.HONG_KONG: ((Language.TRADITIONAL_CHINESE, Language.ENGLISH, Language.SIMPLIFIED_CHINESE), (68, 26, 6)),
    Market.TAIWAN: ((Language.TRADITIONAL_CHINESE, Language.ENGLISH), (95, 5)),
    Market.MAINLAND_CHINA: ((Language.SIMPLIFIED_CHINESE, Language.ENGLISH), (95, 5)),
}
_PHONE = {
    Market.HONG_KONG: "+852 5{:07d}",
    Market.TAIWAN: "+886 900 {:06d}",
    Market.MAINLAND_CHINA: "+86 199 0000 {:04d}",
}


@dataclass(frozen=True, slots=True)
class Customer:
    """Attributes:
    id: the channel's own.
    """

    id: str
    name: str
    email: str
    phone: str
    language: Language
    market: Market
    tier: str


def customer(seed: int, number: int) -> Customer:
    """The same customer for the same seed and number."""
    random = Random(f"customer {seed} {number}")  # noqa: S311  reproducible, not secret
    (market,) = random.choices(list(_BY_MARKET), weights=(45, 32, 23))
    languages, shares = _LANGUAGES[market]
    (language,) = random.choices(languages, weights=shares)
    if language is Language.ENGLISH:
        family, given = random.choice(_ENGLISH[0]), random.choice(_ENGLISH[1])
        name, address = f"{given} {family}", f"{given}.{family}".lower()
    else:
        (family, family_latin), (given, given_latin) = (random.choice(part) for part in _BY_MARKET[market])
        name, address = family + given, f"{given_latin}.{family_latin}"
    (tier,) = random.choices(("standard", "gold", "platinum"), weights=(82, 14, 4))
    phone = _PHONE[market].format(random.randrange(10 ** {"HK": 7, "TW": 6, "CN": 4}[market]))
    return Customer(
        id=f"C-{number:06d}",
        name=name,
        email=f"{address}{number}@customer.example",
        phone=phone,
        language=language,
        market=market,
        tier=tier,
    )
