"""What no shipped message and no subject says, in each language: medicines, results, urgency, prices, reproach.

Invariant: what ends in * is forbidden however it goes on; Arabic words also where others are written to them.
"""

import re

_BRANDS = """botox*, botul*, dysport, azzalure, bocouture, vistabel, xeomin, jeuveau, letybo, alluzience, relfydess,
    juvederm, restylane, sculptra, profhilo, radiesse, belotero, بوتوكس*, بوتولين*"""

_WORDS = {
    "en": """toxin*, filler*, hyaluron*, inject*, jab, jabs, needle*, syringe*, units, dose*, anti-wrinkle*, wrinkle*,
        line relaxing, frown*, forehead, lips, sweat*, migraine*, wear off, wears off, wearing off, worn off, fade*,
        top-up*, top up*, maintain*, maintenance, due, overdue, price*, cost, costs, offer*, discount*, deal, deals,
        free, save, voucher*, special, package*, limited, hurry, only a few, last chance, don’t miss, urgent*,
        now or never, act now, spaces left, miss you, you didn’t, you did not, you have not, you haven’t,
        no reply from you, best, guarantee*, perfect*, young*, beaut*, refresh*, look your, testimonial*, love, amazing,
        you need, you must, three to six months, 3 to 6 months, delivered""",
    "es": """toxina*, relleno*, hialur*, inyec*, jeringa*, aguja*, dosis, arruga*, antiarrugas, frente, labios, sudor*,
        migraña*, deja de hacer efecto, se pasa el efecto, desaparece el efecto, retoque*, mantener*, mantenimiento,
        vence*, vencid*, atrasad*, precio*, coste*, oferta*, descuento*, gratis, gratuit*, promoc*, bono, regalo,
        ahorr*, última oportunidad, plazas, no se lo pierda, urgente*, prisa, le echamos de menos, no ha respondido,
        no respondió, sin respuesta, mejor, garanti*, perfect*, joven*, rejuvenec*, belle*, testimonio*, necesita*,
        debe, tres a seis meses""",
    "fr": """toxine*, comblement*, hyaluron*, inject*, piqûre*, seringue*, aiguille*, dose*, ride, rides, antirides,
        anti-rides, front, lèvres, transpir*, migraine*, s’estomp*, l’effet, retouche*, entretien*, entretenir,
        maintien*, maintenir, maintenance,
        échéance*, en retard, prix, tarif*, coût*, offre*, remise*, réduction*, gratuit*, promotion*, bon cadeau,
        économis*, dernière chance, places, ne manquez pas, urgent, urgente, dépêch*, vous nous manquez,
        vous n’avez pas répondu, sans réponse, meilleur*, garanti*, parfait*, jeun*, rajeun*, beau, beauté, belle,
        témoign*, vous devez, besoin, trois à six mois""",
    "de": """toxin*, filler*, hyaluron*, spritz*, injekt*, injiz*, nadel*, dosis, falten*, stirn, lippen, schwitz*,
        migräne*, lässt nach, nachlass*, auffrisch*, nachbehandl*, erhaltung*, fällig*, überfällig*, preis*, kosten*,
        angebot*, rabatt*, gratis, gutschein*, spar*, aktion*, letzte chance, nur noch, begrenzt*, beeil*, dringend*,
        eilt, vermissen, sie fehlen, nicht geantwortet, nicht gemeldet, keine antwort, beste*, garant*, perfekt*, jung*,
        jünger*, verjüng*, schön*, erfahrungsbericht*, sie müssen, sie brauchen, drei bis sechs monate""",
    "pl": """toksyn*, wypełniacz*, hialuron*, zastrzyk*, iniekc*, wstrzyk*, strzykawk*, igł*, dawk*, zmarszcz*, czoł*,
        ust, potliw*, migren*, przestaje działać, słabnie, zanika*, dokłuc*, poprawk*, podtrzym*, utrzym*, zaległ*,
        po terminie, przetermin*, minął termin, cena, ceny, cennik*, koszt*, ofert*, rabat*, zniżk*, promoc*, gratis,
        darmow*, za darmo, bon, ostatnia szansa, ostatnie miejsca, limitowan*, pospiesz*, pilne, pilnie, tęsknimy,
        brakuje nam, brak odpowiedzi, nie odpowiedzieli, najlepsz*, gwarant*, idealn*, młod*, odmładz*, pięk*, muszą,
        potrzebują, opinie, trzy do sześciu""",
    "pt": """toxina*, preench*, hialur*, inje*, seringa*, agulha*, dose*, ruga*, antirruga*, testa, lábios, suor,
        enxaqueca*, deixa de fazer efeito, passa o efeito, retoque*, manter, manutenção, vencid*, vence, atras*,
        preço*, custo*, oferta*, desconto*, grátis, gratuit*, promoç*, vale, poup*, economiz*, última oportunidade,
        últimas vagas, vagas, apress*, urgente*, saudade*, sentimos a sua falta, não respondeu, sem resposta, melhor*,
        garant*, perfeit*, jovem*, rejuven*, belez*, testemunho*, depoimento*, precisa, deve, três a seis meses""",
    "ar": """توكسين*, فيلر*, هيالور*, حقن*, إبر*, جرعة*, تجاعيد*, الجبين*, الشفاه*, التعرق*, الشقيقة*, يزول*, زوال*,
        مفعول*, تنشيط*, صيانة*, الحفاظ على*, مستحق*, استحقاق*, متأخر*, سعر*, أسعار*, تكلفة*, عروض*, خصم*, مجان*, تخفيض*,
        قسيمة*, آخر فرصة*, الفرصة الأخيرة*, أماكن محدودة*, أسرعوا*, عاجل*, اشتقنا*, نفتقد*, لم تردوا*, لم تجيبوا*,
        الأفضل*, نضمن*, مضمون*, مثالي*, شباب*, جمال*, شهادات*, يجب*, تحتاجون*, ثلاثة إلى ستة*""",
}

_SUBJECTS = {
    "en": "urgent*, now, today, tomorrow, last, soon, final*, time, miss*, treat*, review*, medic*, clinic review",
    "es": "urgent*, ahora, hoy, mañana, últim*, pronto, plazo, tratam*, revisión, medic*",
    "fr": "urgen*, maintenant, aujourd’hui, demain, derni*, bientôt, délai, trait*, contrôle*, suivi, médic*",
    "de": "dringend*, eil*, jetzt, heute, morgen, letzt*, bald, frist*, behandl*, kontroll*, nachgesp*, medi*, ärzt*",
    "pl": "piln*, teraz, dziś, dzisiaj, jutro, ostatn*, wkrótce, termin*, lecz*, zabieg*, kontrol*, medy*, lek*",
    "pt": "urgent*, agora, hoje, amanhã, últim*, logo, prazo, tratam*, avalia*, reavalia*, médic*, medic*",
    "ar": "عاجل*, الآن*, اليوم*, غدا*, آخر*, أخير*, قريبا*, علاج*, مراجعة*, دواء*",
}

CONSULTATION = {
    "en": "consultation",
    "es": "consulta",
    "fr": "consultation",
    "de": "beratungsgespräch",
    "pl": "konsultacj",
    "pt": "consulta",
    "ar": "استشار",
}
"""How the word for a consultation begins in each language, in small letters."""


def plain(text: str) -> str:
    """Return words in small letters with single blanks, without vowel marks and without marks of direction."""
    words = " ".join(text.casefold().split())
    return "".join(mark for mark in words if not ("\u064b" <= mark <= "\u0652" or mark in "\u2068\u2069"))


def forbidden_in(text: str, language: str) -> list[str]:
    """Return the forbidden words of a language, and the brands, that a text holds."""
    return _found(text, f"{_WORDS[language]}, {_BRANDS}", language)


def forbidden_in_subject(subject: str, language: str) -> list[str]:
    """Return what a subject of this language must not hold: urgency, the treatment, the kind of visit, a figure."""
    return _found(subject, _SUBJECTS[language], language) + re.findall(r"[!\d]", subject)


def _found(text: str, words: str, language: str) -> list[str]:
    shown = plain(text)
    listed = (plain(word) for word in words.split(","))
    return [word for word in listed if re.search(_pattern(word, language), shown)]


def _pattern(word: str, language: str) -> str:
    begins = "" if language == "ar" else r"(?<!\w)"
    return begins + re.escape(word.removesuffix("*")) + ("" if word.endswith("*") else r"(?!\w)")
