"""Examines the words: every shipped template in every language, and every template that a clinic made its own.

Invariant: each is looked at as delivery and saving would look at it now, for invented patients.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import get_args

from reminders.mail.check import complaints
from reminders.mail.message import MessageClass, MessageLinks, Stage
from reminders.mail.render import Renderer
from reminders.mail.words import LANGUAGES, USUAL, words
from reminders.services.checkup.check import Check
from reminders.services.checkup.clinic import AN_INVENTED_PATIENT
from reminders.services.templates import in_words, try_stored
from reminders.store.database import Transaction

_LINKS = MessageLinks("https://reminders.example/p/" + "x" * 43, "https://reminders.example/u/" + "x" * 43)
_CLASSES: tuple[MessageClass, ...] = get_args(MessageClass)
_STAGES: tuple[Stage, ...] = get_args(Stage)
_ERROR = "error"


def templates_check() -> Check:
    """Render every message there is, in every language, and look at it as delivery does."""
    renderer, wrong = Renderer(), []
    made = list(product(_CLASSES, _STAGES, LANGUAGES))
    for class_name, stage, language in made:
        shown = replace(AN_INVENTED_PATIENT, class_name=class_name, stage=stage, language=language)
        shown = replace(shown, label=words("mail", language)[f"label_{class_name}"])
        for links in (_LINKS, MessageLinks()) if language == USUAL else (_LINKS,):
            said = complaints(renderer.render(shown, links), shown, links)
            wrong += [f"{class_name} {stage} {language}: {complaint}" for complaint in said]
    if wrong:
        return Check("templates", ok=False, said="; ".join(dict.fromkeys(wrong)), advice="mend the template")
    return Check("templates", ok=True, said=f"{len(made)} kinds of message pass")


def own_templates_checks(tx: Transaction, slug: str | None) -> Iterator[Check]:
    """Yield, for each template of a clinic's own, what would be said if it were saved today."""
    for listed, said in try_stored(tx, slug):
        place = in_words(listed.template.place)
        name = f"clinic {listed.clinic}: own template for {place}"
        wrong = [one.what for one in said if one.severity == _ERROR]
        if wrong:
            advice = (
                "it may hold messages: mend it with `reminders template set`, or take it back with `template withdraw`"
            )
            yield Check(name, ok=False, said="; ".join(wrong), advice=advice)
        elif said:
            advice = "`reminders template check` shows each with its line"
            yield Check(name, ok=None, said="; ".join(dict.fromkeys(one.what for one in said)), advice=advice)
        else:
            yield Check(name, ok=True, said=f"version {listed.template.version} passes")
