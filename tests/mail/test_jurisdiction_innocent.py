"""What no word list may stumble over: ordinary sentences in seven languages, names, everything the product ships."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from reminders import paths
from reminders.mail.advertising.jurisdiction import findings
from reminders.mail.check import complaints, warnings
from reminders.mail.message import Jurisdiction
from reminders.mail.words import LANGUAGES
from tests.mail.letters import LINKS, NO_LINKS, RENDERER, STEPS, bare, facts

SENTENCES = """
Please press the button below, or the buttons on the next page.
Wear your boots; the bottom step at the entrance is steep.
Our robot vacuum cleans the waiting room on Tuesdays.
We can offer you a time on Thursday morning.
Feel free to phone us.
A free parking space is behind the house.
The change is due to a public holiday.
This is due to our move to a new building.
There is no hurry, and nothing needs to be done.
Nothing is promised, and no result is guaranteed.
We cannot guarantee a parking space.
Results, and how long they last, differ from person to person.
Please use the filter in the booking page to find your practitioner.
The water filters were changed last week.
Bring your passport if you use public transport.
He supports the local sports club.
Please tell us about dysphoria, dyspnoea or dystonia in your family.
We do not run a detox clinic.
Toxic mould was removed from the cellar.
Harbour Clinic Limited is registered in England.
The lift is out of order; a tiller of the land owns the field next door.
The robot oxide experiment is on show at the museum.
Your notes were put on the notice board.
Please mention alcohol intoxication, botulism or any food poisoning.
The botanical garden is opposite the clinic.
If you feel unwell, call 111, and in an emergency 999.
Our opening hours are 10:00-17:00, Monday to Friday.
Reply STOP to stop these messages.
We look forward to seeing you on 3 March 2027.
Take the second turn after the modern corner house.
The clinic closes at noon on 24 December.
A short talk about how things have been since your visit.
If you would rather not come, that is fine too.
The first lesson of our nutrition group begins at six.
Parking: 2 h max., level -1, bay 12b.
Room 4a, 2nd floor, door code #4711.
He is an expert in haute couture and in restyling old chairs.
Ask for Mrs Boatswain at the desk.
Toxteth Park, the detox retreat and the toxicology ward are on one bus line.
The antitoxin is kept at the hospital; toxoplasmosis is no reason to worry.
The retina clinic is on the first floor; the Matisse print hangs beside it.
Mr Mattox and Mrs Hattox spoke about ecology and intoxicating smells.

Pulse el botón de abajo o los botones de la página siguiente.
Podemos ofrecerle una hora el jueves por la mañana.
No se promete ningún resultado.
Los resultados y su duración varían de una persona a otra.
La cena del personal es el viernes.
Si tiene alguna duda, llámenos sin compromiso.
Le escribimos porque visitó nuestra clínica.
El aparcamiento está detrás del edificio.
Díganos si está embarazada o toma medicamentos.
En caso de emergencia, llame al 112.
La nueva dirección es calle Mayor, 12, 2.º B.
El tóxico fue retirado del sótano.
Prosigue la obra en la entrada principal.
Nos gustaría hablar con usted sobre cómo se ha sentido.
No es necesario hacer nada.
Su profesional decide cuándo conviene.
El botiquín está junto a la recepción.
Rellene el formulario, por favor.
La robota de la plaza es una escultura.
Traiga sus informes a la cita.

Appuyez sur le bouton ci-dessous ou sur les boutons de la page suivante.
Nous pouvons vous proposer un rendez-vous jeudi.
Aucun résultat n'est garanti et rien n'est promis.
Les résultats et leur durée varient d'une personne à l'autre.
Remise des documents à l'accueil.
Vous trouverez un nouveau plan d'accès au niveau inférieur.
Si vous êtes en retard, téléphonez-nous.
Le tarot est interdit dans la salle d'attente.
La boutonnière de la blouse est décousue.
Nous sommes fiers de notre jardin et de sa filière bio.
Dites-nous si vous êtes enceinte ou si vous prenez des médicaments.
Un complément d'information se trouve dans le dossier.
En cas d'urgence, appelez le 112.
La haute couture parisienne expose au musée.
Les toiles du peintre azuréen sont dans le couloir.
Vous pouvez aussi ne rien faire.
Nous vous écrivons parce que vous êtes venu à la clinique.
Répondez STOP pour ne plus recevoir ces messages.
Le bateau du port de Dieppe part à dix heures.
Votre praticien vous reçoit d'abord en personne.

Drücken Sie den Knopf unten.
Der Füller liegt am Empfang, der Filter ist gewechselt.
Frau Müller und Herr Miller kommen am Dienstag.
Ergebnisse und ihre Dauer sind verschieden; nichts wird versprochen.
Wir garantieren nichts und versprechen nichts.
Es gibt keine Garantie für ein Ergebnis.
Wir haben am Donnerstag einen Termin frei.
Der Bote bringt die Botschaft um zehn Uhr.
Die Spitze des Turms sieht man vom Fenster.
Bitte teilen Sie uns Vergiftungen und Allergien mit.
Der Toxikologe spricht am Freitag.
Im Notfall wählen Sie die 112.
Straße 1, 10115 Berlin, Aufgang B, 2. Stock.
Nehmen Sie den Sportweg am Transportamt vorbei.
Sie müssen nichts tun.
Das Profil der Filiale steht im Internet.
Antworten Sie mit STOP, wenn Sie keine Nachrichten wünschen.
Der Fluss bei Füllinsdorf führt Hochwasser.
Bringen Sie bitte Ihre Unterlagen mit.
Rabat liegt in Marokko.

Proszę nacisnąć przycisk poniżej.
Robota przy wejściu potrwa do piątku.
Nabyta wada wzroku nie jest przeszkodą.
Niczego nie obiecujemy i niczego nie gwarantujemy.
Wyniki i czas ich trwania są różne u różnych osób.
W nagłym wypadku proszę dzwonić pod 112.
Buty i botki proszę zostawić w szatni.
Mamy wolny termin w czwartek rano.
Proszę powiedzieć o ciąży, alergiach i lekach.
Nic nie trzeba robić.
Ulica Długa 12, 00-238 Warszawa, II piętro.
Piszemy, ponieważ była Pani lub był Pan w naszej klinice.
Odpowiedź STOP kończy te wiadomości.
Toksyczny dym zmusił sąsiadów do ewakuacji.
Maksymalna liczba osób w windzie: 4.

Carregue no botão abaixo ou nos botões da página seguinte.
Nada é prometido e nenhum resultado é garantido.
Os resultados e a sua duração variam de pessoa para pessoa.
A fazenda fica ao lado da clínica.
A cena final do filme foi gravada aqui.
Podemos oferecer-lhe um horário na quinta-feira.
Em caso de emergência, ligue 112.
Conte-nos se está grávida ou toma medicamentos.
O relato e os relatos ficam no processo.
O preenchimento do formulário demora dois minutos.
Rua das Flores, 12, 2.º Esq., 1200-195 Lisboa.
Não é preciso fazer nada.
O autocarro pára em frente ao botânico.
Responda STOP para deixar de receber mensagens.
O tóxico foi retirado da cave.

اضغط على الزر أدناه.
يمكننا أن نقدم لك موعدا صباح الخميس.
لا نعد بأي نتيجة ولا نضمن شيئا.
تختلف النتائج ومدتها من شخص إلى آخر.
في حالة الطوارئ اتصل بالرقم 112.
أخبرنا عن الحمل والحساسية والأدوية.
لا يلزمك فعل أي شيء.
هذا حقنا وحقكم.
شارع النخيل 12، الطابق الثاني.
نكتب إليك لأنك زرت عيادتنا.
أجب بكلمة STOP لإيقاف هذه الرسائل.
الطبيب المختص يراك أولا شخصيا.
"""
NAMES = """
Ana Botoș · Botond Kovács · Ximena Boto · Ida Bottom · Oskar Buttner · Anton Boutros · Xeoman Reyes · Xenia Ozer
Azra Lurie · Azzurra Conti · Letícia Lobo · Lety Bonilla · Dés Port · Deon Spord
Mary Filler-Smith's cousin Miller · Ella Müller · Jay Fuller · Viktoria Voss · Vittoria Zoza · Wei Gow
Maung Jaro · Saxon Enda · Nadia Neurath · Toxa Petrova's friend Tania · Bob O'Toole · Otto X. Bauer · Bo Tolson
Robert Oxley · Abbot Oxford · Jeuve Auclair · Nouveau Niveau · Alison Ince · Alu Zience's aunt Alma · Sema Glut
Disha Porter · Rhys Port · Dax Xifaras · Neo Min · Zeo Minh · María José · Łukasz Żółć · Zoë Adébáyọ̀ · 王小明
Δρ. Ελένη Παπαδοπούλου · Наталья Ботова · محمد بوتفليقة · فاطمة بوتو · نعيمة توكل · Søren Bøtker
Jab Singh's sister Jaya · Nadal Garan · Prem Ise · Grace Offord · Dewi Due's mother Delyth · Frank Lasting
Hope Price-Jones's son Hugh · Ocean Picazo
""".replace("\n", " · ")
ORDINARY = [line for line in SENTENCES.splitlines() if line]
PEOPLE = [name.strip() for name in NAMES.split("·") if name.strip()]
PEOPLE_OF_THE_LISTS = (
    "Dr Hope Price",
    "Mrs Filler",
    "Otto Spritze",
    "Dewi Due",
    "Ann Jab",
    "Dr Miracle Jones",
    "Rosa Gratis",
)
"""Whose names are words of the lists, but of no medicine."""


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(set(ORDINARY)) >= 120
    assert len(set(PEOPLE)) >= 50


@pytest.mark.parametrize("sentence", ORDINARY)
def test_an_ordinary_sentence_is_no_finding(sentence: str) -> None:
    for rules in ("us", "uk", "au", "eu", None):
        assert findings({"text": sentence, "HTML": f"<p>{sentence}</p>"}, rules) == ()


def test_all_ordinary_sentences_after_one_another_are_no_finding() -> None:
    assert findings({"text": " ".join(ORDINARY)}, None) == ()


@pytest.mark.parametrize("name", PEOPLE)
def test_a_name_that_lies_near_a_term_is_no_finding(name: str) -> None:
    for rules in ("us", "uk", "au", "eu", None):
        assert findings({"text": f"Hello {name},"}, rules, spared=[name]) == ()


@pytest.mark.parametrize("name", PEOPLE_OF_THE_LISTS)
def test_a_person_may_be_called_like_a_word_of_the_lists(name: str) -> None:
    assert findings({"text": f"Hello {name},\nwith {name}."}, "au", spared=[name]) == ()


@pytest.mark.parametrize(
    "name",
    ["Ozempik Jones", "Dr Botoss", "Azzalura Smith", "Vistabella Ruiz", "Min-ji Yeomin", "Ann Disport", "Eva Tox"],
)
def test_a_person_is_never_taken_for_a_misspelled_medicine(name: str) -> None:
    assert findings({"text": f"Hello {name},"}, "uk", spared=[name]) == ()


ADVERTISING_NAMES = (
    *("Botox Jones", "Dr Ozempic", "The Botox Team", "Ann Lee, wrinkle relaxing injections", "Dr Getbotoxnow"),
    *("Ann (anti-wrinkle jabs, skinny pen)", "TheBotoxQueen", "Botoxuk", "Nurse Botoxx", "Bot.Ox Ann", "ozempicc"),
    *("Xeominn & Dysportt", "Ann, injections for excessive sweating", "lip fillers £199", "20% off", "Botoxa Ray"),
    *("results guaranteed", "Sema Glutide", "B*tox Ann", "b0t0x Ann", "Toxbar Ann", "Nurse Notox", "The Tox Queen"),
    *("Wrinklerelaxing Ann", "Dr Antiwrinkle", "Abnehmspritze Ann", "Dr Bo toks", "Last Chance Ann"),
)
"""What no person is called: a medicine however it is disguised, a phrase of the lists."""


@pytest.mark.parametrize("name", ADVERTISING_NAMES)
def test_a_name_that_advertises_counts(name: str) -> None:
    for text in (name, f"Hello Ann,\nyou will see {name}."):
        found = findings({"text": text}, "au", spared=[name])
        assert found
        assert found[0].severity == "error"
    in_the_kingdom = findings({"text": name}, "uk", spared=[name])
    assert in_the_kingdom[0].severity == ("warning" if name == "Dr Antiwrinkle" else "error")


@pytest.mark.parametrize("name", ["dermal fillers", "lip fillers", "cosmetic injections", "five star award winning"])
def test_what_australia_forbids_is_no_name_there(name: str) -> None:
    assert findings({"text": f"with {name}."}, "au", spared=[name])[0].severity == "error"


def test_a_name_that_is_the_beginning_of_a_phrase_spares_nothing_of_the_phrase() -> None:
    text = "You will see Wrinkle about wrinkle relaxing injections."
    assert {one.rule for one in findings({"text": text}, "uk", spared=["Wrinkle"])} >= {"coded-treatments"}
    assert findings({"text": "About: Wrinkle relaxing"}, "uk", spared=["Wrinkle"])
    assert findings({"text": "Dr Filler, price on request"}, "uk", spared=["Dr Filler"])[0].rule == "prices"


CLINICS = (
    *("Milagros Clinic", "Praxis Wunder", "1 Loyalty Road", "Five Star House", "Painless Dental", "Miracle"),
    *("Discount Chemist Building", "Jane Cud", "hello@painless-dental.example", "https://miracle.example/book"),
)
"""What clinics and their streets are called."""


@pytest.mark.parametrize("rules", ["us", "uk", "au", "eu"])
@pytest.mark.parametrize("name", CLINICS)
def test_a_clinic_may_be_called_like_a_promise_and_is_told(name: str, rules: str) -> None:
    shown = {"text": f"Hello Ann,\n{name} writes to you.", "sender": name}
    assert {one.severity for one in findings(shown, rules, details=[name])} == {"warning"}
    assert findings({"text": f"{name}: a discount for you"}, rules, details=[name])[0].severity == "error"


def test_a_medicine_in_a_clinics_name_counts() -> None:
    assert findings({"sender": "The Botox Rooms"}, "uk", details=["The Botox Rooms"])[0].severity == "error"


def test_sparing_a_name_spares_nothing_else() -> None:
    assert findings({"text": "Hello Ann, your botox. Ann."}, "uk", spared=["Ann", "", "  "])[0].term == "botox"


RULES = (*get_args(Jurisdiction), None)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("class_name", "stage"), STEPS)
def test_every_shipped_message_passes_everywhere(class_name: str, stage: str, language: str) -> None:
    situations: list[dict[str, Any]] = [{"jurisdiction": rules} for rules in RULES]
    situations += [{"window_is_open": True}, {"recipient_is_representative": True}]
    for at, changes in enumerate(situations):
        shown = facts(class_name=class_name, stage=stage, language=language, **changes)
        links = (LINKS, NO_LINKS)[at % 2]
        rendered = RENDERER.render(shown, links)
        assert [one for one in complaints(rendered, shown, links) if " holds " in one] == []
        assert warnings(rendered, shown, links) == ()


def test_a_message_of_a_clinic_that_has_nothing_passes_too() -> None:
    shown = bare()
    assert warnings(RENDERER.render(shown, NO_LINKS), shown, NO_LINKS) == ()


@pytest.mark.parametrize("path", sorted((paths.templates() / "email").rglob("*.txt")), ids=str)
def test_every_shipped_template_passes_as_it_is_written(path: Path) -> None:
    for rules in RULES:
        assert findings({"text": path.read_text(encoding="utf-8")}, rules) == ()


@pytest.mark.parametrize("path", sorted((paths.templates() / "words").rglob("*.yaml")), ids=str)
def test_every_word_of_mails_and_pages_passes(path: Path) -> None:
    for key, text in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for rules in RULES:
            assert findings({key: str(text)}, rules) == (), key


def test_every_label_of_the_starter_catalogue_passes() -> None:
    catalogue = yaml.safe_load((paths.templates() / "catalogue.yaml").read_text(encoding="utf-8"))
    for protocol in catalogue["protocols"]:
        for language, label in protocol["label"].items():
            assert findings({language: label}, "au") == (), protocol["code"]
