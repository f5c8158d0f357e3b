"""Writes messages quickly: what goes to many in the same words is prepared once, and filled in for each of them.

Invariant: what comes out is, byte for byte, what the ordinary way (render, check, compose) makes of the same facts, and
nothing is filled in that it would refuse. The contract: a form is filled only with usual values (`usual`), and only
where it was cut out of a marked message that passed the whole check (`form`). Before a form is used for the first
time, it has to give the very bytes of a message that was written the ordinary way; one that does not is never used.
"""

import datetime as dt
import functools
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from reminders.errors import RemindersError
from reminders.mail.check import ensure_sendable
from reminders.mail.compose import blank_tokens, compose
from reminders.mail.form import Form, Values
from reminders.mail.form_body import NoForm
from reminders.mail.message import MessageFacts, MessageLinks
from reminders.mail.render import Renderer
from reminders.mail.usual import Name, Url, is_silent, is_usual_day, is_usual_id, is_usual_recipient, name_of, url_of

_MOST_FORMS = 512
_MOST_NAMES = 16_384


@dataclass(frozen=True, slots=True)
class Written:
    """A message's bytes; the same with blanked tokens; the version of its templates.

    `pattern` is one object for all messages of a form: the message with every slot empty, None where there is no form.
    """

    content: bytes
    blanked: bytes
    version: str
    pattern: bytes | None = None


class _Case(NamedTuple):
    """A message whose values are usual: the key of its form, and what is filled in."""

    shape: Hashable
    name: Name
    values: Values


class FormLetters:
    """Writes the messages of one delivery; remembers the forms it met last."""

    def __init__(self, renderer: Renderer, most: int = _MOST_FORMS) -> None:
        """Take the renderer of the ordinary way, and how many forms to remember; what stands in for it gets none."""
        self._most = most
        self._renderer = renderer
        self._has_forms = isinstance(renderer, Renderer)
        self._forms: OrderedDict[Hashable, Form | bool] = OrderedDict()
        self._name = functools.lru_cache(_MOST_NAMES)(name_of)
        self._silent = functools.lru_cache(_MOST_NAMES)(is_silent)

    def write(self, facts: MessageFacts, links: MessageLinks, message_id: str, date: dt.datetime) -> Written:
        """Return a message, written from its form where there is one; `date` is an aware moment.

        The second message of a shape makes its form. Raises whatever the ordinary way raises.
        """
        case = self._case(facts, links, message_id, date) if self._has_forms else None
        if case is None:
            return self._ordinary(facts, links, message_id, date)
        form = self._known(case.shape)
        if isinstance(form, Form) and self._takes(form, facts.patient_name, case.name):
            with suppress(NoForm):
                return Written(*form.fill(case.values), form.version, form.pattern)
        written = self._ordinary(facts, links, message_id, date)
        if form is True:
            self._remember(case.shape, self._proven(facts, links, case, written))
        elif form is None:
            self._remember(case.shape, form=True)
        return written

    def _takes(self, form: Form, text: str, name: Name) -> bool:
        return not form.says(text, name) and self._silent(form.pieces, form.marks, name)

    def _ordinary(self, facts: MessageFacts, links: MessageLinks, message_id: str, date: dt.datetime) -> Written:
        rendered = self._renderer.render(facts, links)
        ensure_sendable(rendered, facts, links)
        content = compose(rendered, facts, links, message_id, date)
        return Written(content, blank_tokens(content), rendered.template_version)

    def _proven(self, facts: MessageFacts, links: MessageLinks, case: _Case, written: Written) -> Form | bool:
        """Return the form of a message that gives the very bytes it was written in; False where there is none."""
        try:
            form = Form(self._renderer, facts, links, case.name)
            filled = form.fill(case.values)
        except (NoForm, RemindersError):
            return False
        same = (filled.content, filled.blanked, form.version) == (written.content, written.blanked, written.version)
        return same and form

    def _known(self, shape: Hashable) -> Form | bool | None:
        """Return the form of a shape; True where it was met once, False where it has none, None where it is new."""
        found = self._forms.get(shape)
        if found is not None:
            self._forms.move_to_end(shape)
        return found

    def _remember(self, shape: Hashable, form: Form | bool) -> None:  # noqa: FBT001 - as `_known` says
        self._forms[shape] = form
        if len(self._forms) > self._most:
            self._forms.popitem(last=False)

    def _case(self, facts: MessageFacts, links: MessageLinks, message_id: str, date: dt.datetime) -> _Case | None:
        """Return what is filled into which form; None where a value is not usual."""
        name = self._name(facts.patient_name)
        request, stop = url_of(links.request_url), url_of(links.stop_url)
        if name is None or not is_usual_recipient(facts.recipient) or not is_usual_id(message_id):
            return None
        if (request is None) != (links.request_url is None) or (stop is None) != (links.stop_url is None):
            return None
        if not is_usual_day(facts.opens) or not is_usual_day(facts.closes):
            return None
        tokens = (request.token if request else "", stop.token if stop else "")
        values = Values(facts.patient_name, facts.recipient, message_id, date, facts.opens, facts.closes, *tokens)
        return _Case(self._shape(facts, name, request, stop), name, values)

    def _shape(self, facts: MessageFacts, name: Name, request: Url | None, stop: Url | None) -> Hashable:
        """Return everything a form says or depends on."""
        logo = facts.logo
        own = None
        if facts.own:
            words = self._renderer.words(facts)
            days = () if words.used.isdisjoint({"window", "opens", "closes"}) else (facts.opens, facts.closes)
            own = (facts.own.id, facts.own.version, facts.own.source, days)
        return (
            *(facts.clinic_name, facts.sender_name, facts.sender_address, facts.reply_to, facts.phone),
            *(facts.booking_url, facts.postal_address, facts.language, facts.jurisdiction, facts.class_name),
            *(facts.stage, facts.recipient_is_representative, facts.practitioner, facts.label, facts.window_is_open),
            *(facts.country, facts.colour, (logo.digest, logo.media_type, logo.width, logo.height) if logo else None),
            *(own, name.form, request and (request.base, len(request.token)), stop and (stop.base, len(stop.token))),
        )
