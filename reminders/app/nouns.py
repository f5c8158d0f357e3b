"""The verbs of every noun but those that only look, and with them nearly everything the product is made of.

Invariant: each noun's verbs stand in a file of their own.
"""

from reminders.app.answers import AnswerVerbs
from reminders.app.clinics import ClinicVerbs
from reminders.app.duty import DutyVerbs
from reminders.app.foresight import ForesightVerbs
from reminders.app.guarding import GuardingVerbs
from reminders.app.health import HealthVerbs
from reminders.app.patients import PatientVerbs
from reminders.app.senders import SenderVerbs
from reminders.app.shared import SharedVerbs
from reminders.app.templates import TemplateVerbs


class Nouns(
    SenderVerbs,
    TemplateVerbs,
    ClinicVerbs,
    PatientVerbs,
    SharedVerbs,
    DutyVerbs,
    ForesightVerbs,
    GuardingVerbs,
    AnswerVerbs,
    HealthVerbs,
):
    """All of them on what is opened."""
