"""What customers ask for, in which shares, and how they put it."""

from __future__ import annotations

from random import Random
from typing import Any

from shared.contracts.payload import Language, Market, Priority, RequestKind

KINDS = {
    RequestKind.CLAIM: 42,
    RequestKind.POLICY_SERVICE: 24,
    RequestKind.ENQUIRY: 21,
    RequestKind.UNDERWRITING: 8,
    RequestKind.COMPLAINT: 5,
}
LINES = {"motor": 34, "health": 28, "travel": 15, "property": 13, "life": 10}
CHANNELS = {"app": 36, "web": 22, "hotline": 18, "branch": 8, "agent": 11, "partner": 5}
PRIORITIES = {Priority.LOW: 8, Priority.NORMAL: 74, Priority.HIGH: 14, Priority.URGENT: 4}

_CURRENCY = {Market.HONG_KONG: ("HKD", 1.0), Market.TAIWAN: ("TWD", 4.1), Market.MAINLAND_CHINA: ("CNY", 0.93)}
_TYPICAL_AMOUNT = {"motor": 14_000, "health": 6_500, "travel": 2_400, "property": 22_000, "life": 180_000}

_HANT, _HANS, _EN = Language.TRADITIONAL_CHINESE, Language.SIMPLIFIED_CHINESE, Language.ENGLISH

_CLAIMS: dict[str, dict[Language, str]] = {
    "motor": {
        _HANT: "停車時後保險桿被撞，對方已留下電話，照片已上傳。",
        _HANS: "停车时后保险杠被撞，对方已留下电话，照片已上传。",
        _EN: "Rear bumper hit while parked. The other driver left a number; photos are uploaded.",
    },
    "health": {
        _HANT: "門診及檢查費用申請理賠，收據共三張。",
        _HANS: "门诊及检查费用申请理赔，收据共三张。",
        _EN: "Claiming outpatient and laboratory fees, three receipts attached.",
    },
    "travel": {
        _HANT: "航班延誤超過八小時，申請旅遊保險賠償。",
        _HANS: "航班延误超过八小时，申请旅游保险赔偿。",
        _EN: "Flight delayed by more than eight hours, claiming under the travel policy.",
    },
    "property": {
        _HANT: "颱風後天花板漏水，木地板損壞。",
        _HANS: "台风后天花板漏水，木地板损坏。",
        _EN: "Ceiling leaked after the typhoon; the wooden floor is damaged.",
    },
    "life": {
        _HANT: "家父的壽險理賠申請，文件隨後補上。",
        _HANS: "家父的寿险理赔申请，文件随后补上。",
        _EN: "Claim under my father's life policy; the documents will follow.",
    },
}
_OTHERS: dict[RequestKind, dict[Language, str]] = {
    RequestKind.POLICY_SERVICE: {
        _HANT: "請更新通訊地址，並補發保單副本。",
        _HANS: "请更新通讯地址，并补发保单副本。",
        _EN: "Please update my address and send a copy of the policy.",
    },
    RequestKind.ENQUIRY: {
        _HANT: "請問下期保費何時扣款？可否改為月繳？",
        _HANS: "请问下期保费何时扣款？可否改为月缴？",
        _EN: "When is the next premium due, and can I change to monthly payments?",
    },
    RequestKind.UNDERWRITING: {
        _HANT: "申請投保，健康告知書已填妥。",
        _HANS: "申请投保，健康告知书已填妥。",
        _EN: "Application for cover, the health declaration is complete.",
    },
    RequestKind.COMPLAINT: {
        _HANT: "客服等候太久，而且上次承諾的回電一直沒有。",
        _HANS: "客服等候太久，而且上次承诺的回电一直没有。",
        _EN: "I waited far too long, and the call I was promised never came.",
    },
}


def draw(random: Random, shares: dict[Any, int]) -> Any:
    """One of the keys, by their shares."""
    return random.choices(list(shares), weights=list(shares.values()))[0]


def description(kind: RequestKind, line: str, language: Language) -> str:
    """What the customer writes."""
    return (_CLAIMS[line] if kind is RequestKind.CLAIM else _OTHERS[kind])[language]


def attributes(random: Random, kind: RequestKind, line: str, market: Market) -> dict[str, bool | int | str]:
    """Facts that a channel sends along."""
    facts: dict[str, bool | int | str] = {"policy_number": f"P{random.randrange(10**8):08d}"}
    if kind is RequestKind.CLAIM:
        currency, rate = _CURRENCY[market]
        facts["amount"] = round(_TYPICAL_AMOUNT[line] * rate * random.lognormvariate(0, 0.7))
        facts["currency"] = currency
        facts["has_photos"] = random.random() < 0.6  # noqa: PLR2004
    return facts
