"""The words that no subject of a template holds, by language: days, urgency, the body, treatment, money, replies.

Invariant: plain data; a word is as a dictionary writes it, and a star at its end stands for any ending. (Rule: a
subject has no name, treatment, body area, date or urgency; the screen of a telephone shows it to whoever looks.)
"""

from collections.abc import Mapping

REPLIES = ("re", "fw", "fwd", "aw", "wg", "tr", "rv", "enc", "res", "odp", "pd", "sv", "رد")
"""What mail programs write before a colon; a message that begins a conversation must not pretend to go on with one."""

WORDS: Mapping[str, str] = {
    "en": "monday tuesday wednesday thursday friday saturday sunday january february march april june july august "
    "september october november december today tonight tomorrow tonight weekend week* month* now soon urgent* asap "
    "immediate* hurry expir* final deadline overdue last* limited reminder important alert warning act "
    "face facial* forehead lip* eye* brow* cheek* chin neck jaw* skin hair armpit* underarm* hand* nose wrinkle* "
    "line* migraine* sweat* treat* inject* filler* toxin* laser* peel* therap* procedure* session* dose* "
    "invoice* payment* pay bill* refund* receipt* account* password* price* offer* discount* free",
    "es": "lunes martes miércoles jueves viernes sábado* domingo* enero febrero marzo abril mayo junio julio agosto "
    "septiembre octubre noviembre diciembre hoy mañana semana* mes meses ahora pronto ya urgent* inmediat* caduca* "
    "final último* última* plazo importante aviso alerta recordatorio "
    "cara rostro facial* frente labio* ojo* ceja* mejilla* mentón cuello mandíbula piel axila* mano* nariz arruga* "
    "migraña* sudor* tratamiento* inyecci* relleno* toxina* láser terapia* sesión sesiones dosis "
    "factura* pago* recibo* cuenta* contraseña precio* oferta* descuento* gratis",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril mai juin juillet août "
    "septembre octobre novembre décembre aujourd'hui demain semaine* mois maintenant bientôt vite urgen* immédiat* "
    "expir* final* dernier* dernière* délai important* alerte rappel "
    "visage facial* front lèvre* œil yeux sourcil* joue* menton cou mâchoire peau aisselle* main mains nez ride* "
    "migraine* transpiration traitement* inject* comblement toxine* laser peeling thérapie* séance* dose* "
    "facture* paiement* reçu compte prix offre* remise* gratuit*",
    "de": "montag* dienstag* mittwoch* donnerstag* freitag* samstag* sonnabend* sonntag* januar februar märz april mai "
    "juni juli august september oktober november dezember heute morgen übermorgen woche* monat* jetzt bald sofort "
    "dringend* eilt eilig* umgehend* läuft frist* letzte* final* wichtig* achtung erinnerung* "
    "gesicht* stirn lippe* auge* braue* wange* kinn hals kiefer* haut achsel* hand hände nase falte* "
    "migräne* schwitzen schweiß* behandlung* behandeln injektion* spritze* filler* toxin* laser* peeling* therapie* "
    "sitzung* dosis rechnung* zahlung* bezahlen mahnung* quittung* konto passwort preis* angebot* rabatt* gratis",
    "pl": "poniedziałek wtorek środa środę czwartek piątek sobot* niedziel* styczeń stycznia luty lutego marzec marca "
    "kwiecień kwietnia maj maja czerwiec czerwca lipiec lipca sierpień sierpnia wrzesień września październik* "
    "listopad* grudzień grudnia dziś dzisiaj jutro tydzień tygodni* miesiąc* miesięcy teraz wkrótce piln* "
    "natychmiast* ostatni* termin* ważne uwaga przypomnienie twarz* czoło usta ust oczy oko brwi policzk* "
    "podbród* szyja szyi skór* pach* dłoni* nos zmarszcz* migren* potliwość zabieg* leczeni* terapi* zastrzyk* "
    "iniekcj* wypełniacz* toksyn* laser* peeling* dawka faktur* płatnoś* rachunek konto hasło cen* ofert* rabat* "
    "gratis",
    "pt": "segunda terça quarta quinta sexta sábado* domingo* janeiro fevereiro março abril maio junho julho agosto "
    "setembro outubro novembro dezembro hoje amanhã semana* mês meses agora já breve urgent* imediat* expira* "
    "final último* última* prazo importante aviso alerta lembrete rosto face facial* testa lábio* olho* "
    "sobrancelha* bochecha* queixo pescoço mandíbula pele axila* mão mãos nariz ruga* enxaqueca* suor* tratamento* "
    "injeç* preenchimento* toxina* laser peeling terapia* sessão sessões dose* fatura* pagamento* recibo* conta "
    "senha preço* oferta* desconto* grátis",
    "ar": "الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد يناير فبراير مارس أبريل مايو يونيو يوليو "
    "أغسطس سبتمبر أكتوبر نوفمبر ديسمبر اليوم غدا أسبوع* شهر الآن قريبا عاجل* فورا فوري* نهائي* آخر* أخير* مهم* "
    "تنبيه تذكير وجه* جبين جبهة شفا* شفة عين عيون حاجب خد ذقن رقبة بشرة جلد إبط أنف تجاعيد صداع تعرق علاج* حقن* "
    "فيلر توكسين ليزر جلسة جرعة فاتورة دفع حساب سعر عرض خصم مجان*",
}
"""Words that are named with their first letter only in what they begin stand with a star."""

ALSO = {"en": r"\b(?:in|by|this|next|of|early|mid|late|until)\s+may\b"}
"""May is a month where something says so."""
