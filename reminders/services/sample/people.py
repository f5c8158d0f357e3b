"""Invents people for the sample clinic: names of many scripts, addresses and numbers that belong to nobody.

Invariant: every address ends in `.example` and every number lies in a range kept free for fiction, so that no message
and no call about the sample can reach anybody.
"""

# ruff: noqa: RUF001 - the names are written as their bearers write them

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass

_NAMES = (
    (
        30,
        """Amelia:amelia Beatrice:beatrice Charlotte:charlotte Daniel:daniel Edith:edith Finn:finn Grace:grace
        Harriet:harriet Imogen:imogen James:james Katherine:katherine Lucy:lucy Matthew:matthew Nora:nora""",
        """Ashworth:ashworth Bennett:bennett Carter:carter Doyle:doyle Ellison:ellison Fairfax:fairfax Greaves:greaves
        Hollis:hollis Kendrick:kendrick Lockwood:lockwood O’Shea:oshea Pemberton:pemberton St.~Clair:stclair""",
    ),
    (
        12,
        "Zoë:zoe Łucja:lucja Jürgen:juergen Žofie:zofie Renée:renee Iñaki:inaki Søren:soren Ágnes:agnes Şebnem:sebnem",
        """Wójcik:wojcik Dvořáková:dvorakova Müller-Groß:mueller Núñez:nunez Ångström:angstrom Yıldız:yildiz
        Kovács:kovacs""",
    ),
    (6, "Thùy:thuy Đức:duc Ngọc:ngoc Minh:minh", "Nguyễn:nguyen Trần:tran Phạm:pham"),
    (6, "Adaeze:adaeze Babajide:babajide Chioma:chioma Ọlárónkẹ́:olaronke", "Okafor:okafor Adébáyọ̀:adebayo Eze:eze"),
    (4, "Ελένη:eleni Γιώργος:giorgos Δήμητρα:dimitra", "Παπαδοπούλου:papadopoulou Νικολάου:nikolaou"),
    (5, "Олена:olena Тарас:taras Марина:maryna", "Шевченко:shevchenko Коваленко:kovalenko Іваненко:ivanenko"),
    (5, "فاطمة:fatima يوسف:yusuf ليلى:layla", "الحسيني:alhusseini منصور:mansour حداد:haddad"),
    (3, "נועה:noa איתן:eitan", "לוי:levi מזרחי:mizrahi"),
    (5, "美玲:meiling 伟:wei 秀英:xiuying", "王:wang 陈:chen 欧阳:ouyang"),
    (4, "さくら:sakura 健太:kenta", "佐藤:sato 鈴木:suzuki"),
    (3, "지우:jiwoo 민준:minjun", "김:kim 박:park"),
    (5, "प्रिया:priya अर्जुन:arjun मीरा:meera", "शर्मा:sharma पटेल:patel"),
    (3, "அனிதா:anitha கார்த்திக்:karthik", "சுப்பிரமணியம்:subramaniam"),
    (2, "สมหญิง:somying", "ใจดี:jaidee ศรีสุข:srisuk"),
    (2, "ნინო:nino", "ბერიძე:beridze გელაშვილი:gelashvili"),
    (2, "ሰላም:selam", "ተስፋዬ:tesfaye"),
)
"""How common, given names and family names; each as it is written (~ is a blank) and as it stands in an address."""

_POSTS = ("post.example", "mail.example", "letters.example")
_YOUNGEST, _OLDEST = 23, 78
_SHARES_AN_ADDRESS = 0.04


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist; `shares` says that the address is the one of somebody before, too."""

    given_name: str
    family_name: str
    email: str
    phone: str
    born: dt.date
    shares: bool = False


def people(chance: random.Random, today: dt.date) -> Iterator[Person]:
    """Yield adults for ever, no two with one name; a few share the address of the one before them, as couples do."""
    seen: set[tuple[str, str]] = set()
    weights = [weight for weight, _, _ in _NAMES]
    before: Person | None = None
    number = 0
    while True:
        _, given_names, family_names = chance.choices(_NAMES, weights)[0]
        given, given_latin = _choice(chance, given_names)
        family, family_latin = _choice(chance, family_names)
        shares = before is not None and chance.random() < _SHARES_AN_ADDRESS
        if before is not None and shares:
            family = before.family_name
        elif (given, family) in seen:
            given, given_latin = f"{given} {family[0]}.", f"{given_latin}.{number}"
        seen.add((given, family))
        email = before.email if before and shares else f"{given_latin}.{family_latin}@{chance.choice(_POSTS)}"
        born = today - dt.timedelta(days=chance.randint(_YOUNGEST * 366, _OLDEST * 365))
        before = Person(given, family, email, f"+44 7700 900{number % 1000:03}", born, shares)
        number += 1
        yield before


def years_before(today: dt.date, years: int) -> dt.date:
    """Return a birth date of somebody who is `years` old and has been for a while."""
    return today - dt.timedelta(days=years * 366 + 40)


def _choice(chance: random.Random, names: str) -> tuple[str, str]:
    name, _, latin = chance.choice(names.split()).partition(":")
    return name.replace("~", " "), latin
