"""What every message must say and must never say, in each language: the phrases that carry it.

Invariant: every language has the same statements. A forbidden word that ends in * is one however it goes on.
"""

from collections.abc import Mapping

from reminders.mail.message import MessageClass, Stage

EVERYWHERE = "everywhere"
"""The statements of every message; the others belong to a class, or to one message of it."""

_TABLE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "who writes": "from Harbour Clinic",
        "why": "because you have visited Harbour Clinic",
        "who sees them": "With: Dr Mary Stone",
        "in person first": "seen and assessed in person first",
        "results differ": "Results, and how long they last, differ",
        "no promise": "Nothing is promised",
        "side effects": "We will talk about side effects",
        "changes": "change in your health or medicines, a pregnancy, allergies, or treatment elsewhere",
        "worried": "Worried since your visit? Phone us now: +44 20 7946 0018. In an emergency, call 999.",
        "stop": "To stop these messages",
        "not you": "Not you?",
        "nothing to do": "Nothing needs to be done",
        "their choice": "up to you",
        "booked or elsewhere": "booked a visit, or been seen somewhere else? Please tell us",
        "last": "our last message",
        "no pressure": "no pressure",
        "clinician's timing": "Your clinician sets the timing",
        "medicines": "do not change or stop any medicines yourself",
        "notes": "notes",
        "answer": "answer even if the answer is no",
        "insurer": "insurer",
        "stopping is told": "your clinician is told",
        "representative": "because Harbour Clinic knows you as the representative of Odile",
    },
    "es": {
        "who writes": "es de Harbour Clinic",
        "why": "porque estuvo en Harbour Clinic",
        "who sees them": "Con: Dr Mary Stone",
        "in person first": "Lo primero es siempre una visita y una valoración en persona",
        "results differ": "Los resultados, y lo que duran, varían",
        "no promise": "No se promete nada",
        "side effects": "efectos secundarios",
        "changes": "cambios en su salud o sus medicamentos, un embarazo, alergias o tratamientos en otro lugar",
        "worried": "¿Algo le preocupa desde su visita? Llámenos ahora: +44 20 7946 0018. En caso de emergencia, "
        "llame al 999.",
        "stop": "Para no recibir más mensajes",
        "not you": "¿Este mensaje no es para usted?",
        "nothing to do": "No hace falta hacer nada",
        "their choice": "es decisión suya",
        "booked or elsewhere": "reservado una visita o ha acudido a otro lugar? Díganoslo",
        "last": "nuestro último mensaje",
        "no pressure": "No hay ninguna presión",
        "clinician's timing": "El momento lo decide el equipo que le atiende",
        "medicines": "o cambie ni suspenda ningún medicamento por su cuenta",
        "notes": "notas",
        "answer": "esponda aunque la respuesta sea no",
        "insurer": "aseguradora",
        "stopping is told": "avisaremos al equipo que le atiende",
        "representative": "según los datos de Harbour Clinic, usted representa a Odile",
    },
    "fr": {
        "who writes": "envoyé par Harbour Clinic",
        "why": "parce que vous avez eu un rendez-vous chez Harbour Clinic",
        "who sees them": "Avec : Dr Mary Stone",
        "in person first": "Tout commence par une rencontre et un examen en personne",
        "results differ": "Les résultats et leur durée diffèrent",
        "no promise": "Rien n’est promis",
        "side effects": "effets indésirables",
        "changes": "changement de santé ou de médicaments, une grossesse, des allergies ou un traitement ailleurs",
        "worried": "Quelque chose vous inquiète depuis votre visite ? Appelez-nous maintenant : +44 20 7946 0018. "
        "En cas d’urgence, appelez le 999.",
        "stop": "Pour ne plus recevoir ces messages",
        "not you": "Ce message n’est pas pour vous ?",
        "nothing to do": "Vous n’avez rien à faire",
        "their choice": "vous appartient",
        "booked or elsewhere": "pris rendez-vous ou consulté ailleurs ? Merci de nous le dire",
        "last": "notre dernier message",
        "no pressure": "libre de votre choix",
        "clinician's timing": "L’équipe qui vous suit décide du moment",
        "medicines": "ne modifier et de n’arrêter aucun médicament de vous-même",
        "notes": "notes",
        "answer": "répondre, même si la réponse est non",
        "insurer": "assurance",
        "stopping is told": "L’équipe qui vous suit en est alors informée",
        "representative": "Vous représentez Odile : c’est pourquoi Harbour Clinic vous adresse ce message",
    },
    "de": {
        "who writes": "Ihnen schreibt Harbour Clinic",
        "why": "weil Sie bei Harbour Clinic waren",
        "who sees them": "Für Sie da: Dr Mary Stone",
        "in person first": "Zuerst sehen und untersuchen wir Sie immer persönlich",
        "results differ": "Ergebnisse und ihre Dauer sind von Mensch zu Mensch verschieden",
        "no promise": "Versprochen wird nichts",
        "side effects": "Nebenwirkungen",
        "changes": "geändert hat: Gesundheit, Schwangerschaft, Allergien, Medikamente, Behandlungen anderswo",
        "worried": "Macht Ihnen seit Ihrem Besuch etwas Sorgen? Rufen Sie uns jetzt an: +44 20 7946 0018. "
        "Im Notfall wählen Sie die 999.",
        "stop": "Keine solchen Nachrichten mehr",
        "not you": "Ist diese Nachricht nicht für Sie?",
        "nothing to do": "Es muss nichts geschehen",
        "their choice": "liegt ganz bei Ihnen",
        "booked or elsewhere": "einen Termin, oder waren Sie inzwischen anderswo? Bitte sagen Sie es uns",
        "last": "unsere letzte Nachricht",
        "no pressure": "keinen Druck",
        "clinician's timing": "Den Zeitpunkt bestimmt Ihr Behandlungsteam",
        "medicines": "ändern Sie Ihre Medikamente nicht selbst, und setzen Sie keine ab",
        "notes": "Notizen",
        "answer": "antworten Sie, auch wenn die Antwort Nein ist",
        "insurer": "Versicherung",
        "stopping is told": "Ihr Behandlungsteam erfährt dann davon",
        "representative": "weil Sie Odile bei Harbour Clinic vertreten",
    },
    "pl": {
        "who writes": "Tę wiadomość wysyła Harbour Clinic",
        "why": "ponieważ odbyła się u nas Państwa wizyta. Po wizycie Harbour Clinic pisze",
        "who sees them": "Przyjmie Państwa: Dr Mary Stone",
        "in person first": "Zawsze zaczynamy od osobistego spotkania i badania",
        "results differ": "Efekty i czas ich trwania są różne",
        "no promise": "Niczego nie obiecujemy",
        "side effects": "działaniach niepożądanych",
        "changes": "zmianach stanu zdrowia, ciąży, alergiach, lekach i leczeniu w innym miejscu",
        "worried": "Czy od czasu wizyty coś Państwa niepokoi? Prosimy zadzwonić od razu: +44 20 7946 0018. "
        "W nagłym wypadku prosimy dzwonić pod numer 999.",
        "stop": "Rezygnacja z takich wiadomości",
        "not you": "Czy ta wiadomość nie jest do Państwa?",
        "nothing to do": "Nic nie trzeba robić",
        "their choice": "Decyzja należy wyłącznie do Państwa",
        "booked or elsewhere": "umówiona, a może odbyła się gdzie indziej? Prosimy dać nam znać",
        "last": "nasza ostatnia wiadomość",
        "no pressure": "Nie ma żadnej presji",
        "clinician's timing": "Termin ustala zespół prowadzący leczenie",
        "medicines": "samodzielnie nie zmieniać ani nie odstawiać żadnych leków",
        "notes": "notatki",
        "answer": "odpowiedzieć, nawet jeśli odpowiedź brzmi „nie”",
        "insurer": "ubezpieczyciel",
        "stopping is told": "dowie się zespół prowadzący leczenie",
        "representative": "Harbour Clinic pisze do Państwa, ponieważ reprezentują Państwo osobę o imieniu Odile",
    },
    "pt": {
        "who writes": "enviada por Harbour Clinic",
        "why": "devido à sua visita a Harbour Clinic",
        "who sees them": "Com: Dr Mary Stone",
        "in person first": "Primeiro há sempre uma visita e uma avaliação presencial",
        "results differ": "Os resultados e a sua duração variam",
        "no promise": "Nada é prometido",
        "side effects": "efeitos indesejáveis",
        "changes": "mudanças na sua saúde, gravidez, alergias, medicamentos e tratamentos em outro lugar",
        "worried": "Alguma preocupação desde a sua visita? Ligue agora para nós: +44 20 7946 0018. "
        "Em caso de emergência, ligue para o 999.",
        "stop": "Para deixar de receber estas mensagens",
        "not you": "Esta mensagem chegou à pessoa errada?",
        "nothing to do": "ão é preciso fazer nada",
        "their choice": "é só sua",
        "booked or elsewhere": "marcou uma visita ou foi a outro lugar? Por favor, diga-nos",
        "last": "nossa última mensagem",
        "no pressure": "Não há nenhuma pressão",
        "clinician's timing": "Quem acompanha o seu caso decide o momento",
        "medicines": "ão altere nem suspenda nenhum medicamento por conta própria",
        "notes": "anotações",
        "answer": "esponda mesmo que a resposta seja não",
        "insurer": "seguradora",
        "stopping is told": "avisamos quem acompanha o seu caso",
        "representative": "de Harbour Clinic é enviada a quem representa Odile",
    },
    "ar": {
        "who writes": "هذه الرسالة من Harbour Clinic",
        "why": "لأنكم زرتم Harbour Clinic",
        "who sees them": "مع: Dr Mary Stone",
        "in person first": "نبدأ دائمًا بلقاء وتقييم حضوريّين",
        "results differ": "تختلف النتائج ومدتها من شخص إلى آخر",
        "no promise": "ولا نَعِد بأي نتيجة",
        "side effects": "الآثار الجانبية",
        "changes": "تغيّر في صحتكم، وبالحمل والحساسية والأدوية وأي علاج في مكان آخر",
        "worried": "هل يقلقكم شيء منذ زيارتكم؟ اتصلوا بنا الآن: +44 20 7946 0018. في حالات الطوارئ، اتصلوا بالرقم 999.",
        "stop": "لإيقاف هذه الرسائل",
        "not you": "هل وصلتكم هذه الرسالة خطأً؟",
        "nothing to do": "لا يلزمكم فعل أي شيء",
        "their choice": "قرار الحضور لكم وحدكم",
        "booked or elsewhere": "هل حجزتم موعدًا، أو زرتم مكانًا آخر؟ يُرجى إخبارنا",
        "last": "هذه آخر رسالة منا",
        "no pressure": "لا ضغط عليكم",
        "clinician's timing": "الفريق المعالج هو من يحدّد الموعد",
        "medicines": "عدم تغيير أي دواء أو إيقافه من تلقاء أنفسكم",
        "notes": "ملاحظات",
        "answer": "يُرجى الرد حتى لو كان الجواب لا",
        "insurer": "شركة التأمين",
        "stopping is told": "نُبلغ الفريق المعالج",
        "representative": "من Harbour Clinic لأنكم تمثّلون Odile",
    },
}

_STATEMENTS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    (EVERYWHERE,): (
        *("who writes", "who sees them", "in person first", "results differ", "no promise", "side effects"),
        *("changes", "worried", "stop", "not you"),
    ),
    ("cosmetic", "invitation"): ("nothing to do", "their choice"),
    ("cosmetic", "follow_up"): ("booked or elsewhere",),
    ("cosmetic", "last_call"): ("last", "no pressure"),
    ("medical",): ("clinician's timing", "medicines", "notes", "answer", "insurer", "stopping is told"),
    ("medical", "last_call"): ("last",),
}


def languages() -> dict[str, set[str]]:
    """Return which statements each language has a phrase for."""
    return {language: set(phrases) for language, phrases in _TABLE.items()}


def must_say(language: str, class_name: MessageClass, stage: Stage, *, representative: bool) -> list[str]:
    """Return the phrases of a language that a message of this kind to this reader holds."""
    wanted = ["representative"] if representative else ["why"]
    for place, statements in _STATEMENTS.items():
        if place in {(EVERYWHERE,), (class_name,), (class_name, stage)}:
            wanted += statements
    return [_TABLE[language][statement] for statement in wanted]
