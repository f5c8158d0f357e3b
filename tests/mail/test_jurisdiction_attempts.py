"""Attempts as clinics write them: brands, substances, nicknames, euphemisms, offers, pressure, in seven languages."""

# ruff: noqa: RUF001 - look-alikes are what some attempts are made of

import dataclasses

import pytest

from reminders.mail.advertising.jurisdiction import findings
from reminders.mail.check import complaints, warnings
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from tests.mail.letters import LINKS, RENDERER, facts

EVERYWHERE = ("uk", "au", "eu")

NAMED = {  # what names a medicine: an error in the United Kingdom, Australia and the European Union
    "Your Botox® review": "toxin-brands",
    "Your Botox™ review": "toxin-brands",
    "VISTABEL refresh": "toxin-brands",
    "Bocouture, Azzalure or Alluzience?": "toxin-brands",
    "Letybo is here": "toxin-brands",
    "Try Daxxify / Jeuveau": "toxin-brands",
    "Nuceiva and Relfydess": "toxin-brands",
    "Myobloc (NeuroBloc)": "toxin-brands",
    "Botulax & Nabota from Korea": "toxin-brands",
    "half a botoxing": "toxin-brands",
    "a Botoxed forehead": "toxin-brands",
    "non-botoxed": "toxin-brands",
    "Bo.tox": "toxin-brands",
    "Bow-tox lounge": "coded-names",
    "Botocks day": "toxin-brands",
    "Botoks w gabinecie": "toxin-brands",
    "bótox en clínica": "toxin-brands",
    "Bothox": "toxin-brands",
    "Boetox": "toxin-brands",
    "Dyspport": "toxin-brands",
    "Disport clinic": "toxin-brands",
    "Zeomin": "toxin-brands",
    "Xeo-min": "toxin-brands",
    "Azalure": "toxin-brands",
    "Aluzience": "toxin-brands",
    "Vistabell": "toxin-brands",
    "ВОТОХ для вас": "toxin-brands",
    "Ботокс у нас": "toxin-brands",
    "בוטוקס": "toxin-brands",
    "μποτοξ στην Αθήνα": "toxin-brands",
    "جلسة البوتوكس القادمة": "toxin-brands",
    "بوتكس": "toxin-brands",
    "الـبـوتـوكـس": "toxin-brands",
    "الْبُوتُوكْس": "toxin-brands",
    "ب و ت و ك س": "toxin-brands",
    "ديسبورت": "toxin-brands",
    "|3otox": "toxin-brands",
    "b()t()x": "toxin-brands",
    "B0T0>< night": "toxin-brands",
    "80tox": "toxin-brands",
    "ßotox": "toxin-brands",
    "b🅾️t🅾️x": "toxin-brands",
    "b○t○x": "toxin-brands",
    "bot✕": "toxin-brands",
    "bot×x": "toxin-brands",
    "bo…x, no: b_t_x": "toxin-brands",
    "bot•x": "toxin-brands",
    "b#tox": "toxin-brands",
    "b*t*x": "toxin-brands",
    "https://clinic.example/?utm_campaign=botox2": "toxin-brands",
    "mailto:hello@clinic.example?subject=b%6ftox": "toxin-brands",
    "https://xn--btox-55d.example": "toxin-brands",
    "hello@botox-clinic.example": "toxin-brands",
    "botox.clinic@mail.example": "toxin-brands",
    "bo\u00adtu\u200bli\u2060num": "toxin-substances",
    "botulinum toxin type A": "toxin-substances",
    "OnabotulinumtoxinA": "toxin-substances",
    "abobotulinum-toxin A": "toxin-substances",
    "toxina botulínica": "toxin-substances",
    "toxine botulique": "toxin-substances",
    "toxine botulinique": "toxin-substances",
    "Botulinumtoxin-Behandlung": "toxin-substances",
    "Botulinustoxin": "toxin-substances",
    "Nervengift": "toxin-substances",
    "zabieg toksyną botulinową": "toxin-substances",
    "jad kiełbasiany": "toxin-substances",
    "توكسين البوتولينوم": "toxin-substances",
    "بالبوتولينوم": "toxin-substances",
    "ботулотоксин": "toxin-substances",
    "肉毒桿菌素": "toxin-substances",
    "neuro-modulator": "toxin-substances",
    "neuromoduladores": "toxin-substances",
    "neuromodulateurs": "toxin-substances",
    "botulinim": "toxin-substances",
    "botulinium toxin": "toxin-substances",
    "Ozempic pens": "other-medicines",
    "0zempic": "other-medicines",
    "We-govy": "other-medicines",
    "Mounjarro": "other-medicines",
    "Monjaro": "other-medicines",
    "semaglutid": "other-medicines",
    "semaglutida semanal": "other-medicines",
    "semaglutyd": "other-medicines",
    "سيماغلوتايد": "other-medicines",
    "tirzepitide": "other-medicines",
    "Saxenda®": "other-medicines",
    "hyaluronidase to dissolve": "other-medicines",
    "hialuronidasa": "other-medicines",
    "tox": "coded-names",
    "T O X": "coded-names",
    "t.o.x time": "coded-names",
    "t0x": "coded-names",
    "#tox": "coded-names",
    "B-Tox": "coded-names",
    "b tox": "coded-names",
    "BTX": "coded-names",
    "B.T.X.": "coded-names",
    "Beautytox": "coded-names",
    "beauty-tox": "coded-names",
    "Beauty T0x": "coded-names",
    "micro-tox": "coded-names",
    "Bro Tox": "coded-names",
    "baby botox": "toxin-brands",
    "Beautox": "coded-names",
    "Newtox": "coded-names",
    "Notox": "coded-names",
    "Toxbar": "coded-names",
    "the ToxBox": "coded-names",
    "Toxlounge": "coded-names",
    "#toxfest": "coded-names",
    "sweattox": "coded-names",
    "scalptox": "coded-names",
    "Barbietox": "coded-names",
    "t0xb4r": "coded-names",
    "Daxi": "coded-names",
    "Daxxi": "coded-names",
    "Botxo": "toxin-brands",
    "Bootx": "toxin-brands",
    "Bʘtʘx": "toxin-brands",
    "Bowtocks": "toxin-brands",
    "bo toks": "toxin-brands",
    "bot ax": "toxin-brands",
    "dis-port": "toxin-brands",
    "botulin": "toxin-substances",
    "botulino": "toxin-substances",
    "botuliny": "toxin-substances",
    "ботулин": "toxin-substances",
    "打肉毒素针": "toxin-substances",
    "بوطكس": "toxin-brands",
    "Vaniqa": "other-medicines",
    "Latisse": "other-medicines",
    "bimatoprost": "other-medicines",
    "Roaccutane": "other-medicines",
    "isotretinoin": "other-medicines",
    "Kenalog": "other-medicines",
    "triamcinolone": "other-medicines",
    "Retin-A": "other-medicines",
    "tretinoin": "other-medicines",
    "Emla": "other-medicines",
    "minoxidil": "other-medicines",
    "Xolair": "other-medicines",
    "omalizumab": "other-medicines",
}
CODED = {  # what can only mean a medicine: an error in the United Kingdom, Australia and the European Union
    "jabs for sweating": "coded-treatments",
    "sweat injections": "coded-treatments",
    "hyperhidrosis injections": "coded-treatments",
    "a migraine injection": "coded-treatments",
    "line-reducing injections": "coded-treatments",
    "wrinkle-softening injections": "coded-treatments",
    "a muscle relaxer": "coded-treatments",
    "muscle relaxant": "coded-treatments",
    "wrinkle relaxing injections": "coded-treatments",
    "wrinkle-relaxers": "coded-treatments",
    "Wrinklerelaxing": "coded-treatments",
    "vvrinkle relaxing injections": "coded-treatments",
    "wr1nkle re1ax1ng": "coded-treatments",
    "wrinkel relaxing injections": "coded-treatments",
    "wrinkle\u200b relaxing": "coded-treatments",
    "w r i n k l e relaxing": "coded-treatments",
    "muscle relaxant injections": "coded-treatments",
    "muscle-relaxing injection": "coded-treatments",
    "injections for excessive sweating": "coded-treatments",
    "anti-wrinkle jabs": "coded-treatments",
    "the skinny jab": "coded-treatments",
    "sk1nny j4b": "coded-treatments",
    "weight-loss injections": "coded-treatments",
    "obesity treatment jab": "coded-treatments",
    "GLP-1 clinic": "coded-treatments",
    "fat jabs": "coded-treatments",
    "Lip flip": "coded-treatments",
    "inyecciones relajantes": "coded-treatments",
    "pluma para adelgazar": "coded-treatments",
    "injections minceur": "coded-treatments",
    "Abnehmspritze": "coded-treatments",
    "Muskelrelaxans": "coded-treatments",
    "zastrzyki na zmarszczki": "coded-treatments",
    "caneta emagrecedora": "coded-treatments",
    "إبر التنحيف": "coded-treatments",
}
AUSTRALIAN = {  # what only Australia forbids, and the others point out
    "dermal fillers": "fillers",
    "d3rmal f1ller": "fillers",
    "lip filler": "fillers",
    "f i l l e r": "fillers",
    "filller": "fillers",
    "Fil-ler": "fillers",
    "ácido hialurónico": "fillers",
    "acide hyaluronique": "fillers",
    "Hyaluronsäure": "fillers",
    "kwas hialuronowy": "fillers",
    "preenchimento labial": "fillers",
    "الفيلر": "fillers",
    "Juvéderm": "filler-brands",
    "Juvaderm": "filler-brands",
    "Restalyne": "filler-brands",
    "Teosyal": "filler-brands",
    "injectables": "injectables",
    "injectibles": "injectables",
    "cosmetic injections": "injectables",
    "medicina estética: inyectables": "injectables",
    "anti-wrinkle injections": "wrinkle-treatments",
    "antiwrinkle": "wrinkle-treatments",
    "anti wrinkle": "wrinkle-treatments",
    "antiarrugas": "wrinkle-treatments",
    "soin anti-rides": "wrinkle-treatments",
    "Faltenbehandlung": "wrinkle-treatments",
    "zabieg przeciwzmarszczkowy": "wrinkle-treatments",
    "حقن التجاعيد": "wrinkle-treatments",
}
SELLING = {  # what the product says nowhere, whatever the law of a country lets others say
    "20% off this week": "inducements",
    "special offer": "inducements",
    "fr€e of charge": "inducements",
    "f r e e of charge": "inducements",
    "refer a friend": "inducements",
    "descuento": "inducements",
    "offre spéciale": "inducements",
    "Rabatt": "inducements",
    "promocje": "inducements",
    "desconto": "inducements",
    "خصم": "inducements",
    "we guarantee it": "promises",
    "results that last": "promises",
    "garantierte Ergebnisse": "promises",
    "résultats durables": "promises",
    "resultados duraderos": "promises",
    "trwałe efekty": "promises",
    "نتائج مضمونة": "promises",
    "read our testimonials": "testimonials",
    "Erfahrungsberichte": "testimonials",
    "témoignages": "testimonials",
    "it wears off": "upkeep",
    "time to top up": "upkeep",
    "a top-up": "upkeep",
    "maintain your look": "upkeep",
    "your treatment is due": "upkeep",
    "you are overdue": "upkeep",
    "0verdue": "upkeep",
    "le toca": "upkeep",
    "die Wirkung lässt nach": "upkeep",
    "efekt mija": "upkeep",
    "حان وقت": "upkeep",
    "last chance": "pressure",
    "l\u200ba\u200bst chance": "pressure",
    "only 3 places left": "pressure",
    "we miss you": "pressure",
    "dernière chance": "pressure",
    "letzte Chance": "pressure",
    "última oportunidad": "pressure",
    "tęsknimy": "pressure",
    "الفرصة الأخيرة": "pressure",
    "from £99": "prices",
    "99 zł": "prices",
    "nur 99 €": "prices",
}
FROWNED_UPON = {  # what is pointed out everywhere
    "injection": "injections",
    "a quick jab": "injections",
    "💉": "injections",
    "Spritze": "injections",
    "zastrzyk": "injections",
    "Brilliant Distinctions": "sponsors",
}


def found(text: str, rules: str | None) -> set[tuple[str, str]]:
    return {(one.severity, one.rule) for one in findings({"text": text}, rules)}


@pytest.mark.parametrize("text", NAMED)
def test_a_medicine_by_any_name_is_refused(text: str) -> None:
    for rules in EVERYWHERE:
        assert ("error", NAMED[text]) in found(text, rules)
    assert ("warning", NAMED[text]) in found(text, "us")


@pytest.mark.parametrize("text", CODED)
def test_words_that_can_only_mean_a_medicine_are_refused_where_the_regulator_says_so(text: str) -> None:
    for rules, severity in (("uk", "error"), ("au", "error"), ("eu", "error"), ("us", "warning")):
        assert (severity, CODED[text]) in found(text, rules)


@pytest.mark.parametrize("text", AUSTRALIAN)
def test_what_australia_forbids_is_pointed_out_elsewhere(text: str) -> None:
    for rules, severity in (("au", "error"), ("uk", "warning"), ("eu", "warning"), ("us", "warning")):
        assert (severity, AUSTRALIAN[text]) in found(text, rules)


@pytest.mark.parametrize("text", SELLING)
def test_what_sells_promises_or_presses_is_refused_under_every_jurisdiction(text: str) -> None:
    for rules in ("us", "uk", "au", "eu"):
        assert ("error", SELLING[text]) in found(text, rules)
    assert {severity for severity, _ in found(text, None)} == {"warning"}


@pytest.mark.parametrize("text", FROWNED_UPON)
def test_what_speaks_of_a_treatment_is_pointed_out_everywhere(text: str) -> None:
    for rules in ("us", "uk", "au", "eu", None):
        assert ("warning", FROWNED_UPON[text]) in found(text, rules)


@pytest.mark.parametrize("text", [*NAMED, *CODED, *AUSTRALIAN])
def test_a_clinic_without_a_jurisdiction_is_warned_and_refused_nothing(text: str) -> None:
    assert {severity for severity, _ in found(text, None)} == {"warning"}


PLAIN = RENDERER.render(facts(), LINKS)


def on_surface(where: str, attempt: str) -> tuple[RenderedMessage, MessageFacts]:
    """Return an ordinary message with an attempt on one of its surfaces."""
    if where == "sender":
        return PLAIN, facts(sender_name=attempt)
    if where == "reply-to":
        return PLAIN, facts(reply_to=f"{attempt}@harbour.example")
    changed = {
        "subject": {"subject": attempt},
        "text part": {"text": f"{PLAIN.text}\n{attempt}\n"},
        "HTML part": {"html": PLAIN.html.replace("</body>", f"<p>{attempt}</p></body>")},
    }
    return dataclasses.replace(PLAIN, **changed[where]), facts()


ON_SURFACES = (
    *("botox", "b0t0x", "bo-tox", "botoxx", "mybotoxclinic", "dyspor", "semaglutide", "ozempik", "beautytox"),
    "b.o.t.o.x",
)


@pytest.mark.parametrize("attempt", ON_SURFACES)
@pytest.mark.parametrize("where", ["subject", "text part", "HTML part", "sender", "reply-to"])
def test_every_surface_of_a_message_is_looked_at(where: str, attempt: str) -> None:
    rendered, shown = on_surface(where, attempt)
    said = [one for one in complaints(rendered, shown, LINKS) if one.startswith(f"the {where} holds ")]
    assert said
    assert all("which the advertising rules of the United Kingdom do not allow" in one for one in said)
    in_the_states = dataclasses.replace(shown, jurisdiction="us")
    assert [one for one in warnings(rendered, in_the_states, LINKS) if one.startswith(f"the {where} holds ")]


def test_the_tokens_of_the_products_own_links_are_no_words() -> None:
    links = MessageLinks("https://reminders.harbour.example/p/botox", "https://reminders.harbour.example/u/-tox-")
    assert not [one for one in complaints(RENDERER.render(facts(), links), facts(), links) if " holds " in one]


def test_a_complaint_says_the_lists_word_and_never_the_texts() -> None:
    rendered, shown = on_surface("subject", "Anns b0t0x")
    [said] = [one for one in complaints(rendered, shown, LINKS) if "allow" in one]
    assert "(botox)" in said
    assert "b0t0x" not in said
    assert "Ann" not in said
