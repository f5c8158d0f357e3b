"""Templates become words here and nowhere else in the mail: the only room of this floor that knows the template engine.

Invariant: what is rendered comes from our own files, or passed the list of what a clinic's template may hold.
"""

from reminders.mail.render.renderer import LONGEST_SUBJECT, Renderer, TemplateBroken
from reminders.mail.render.values import LONGEST_VALUE, UnprintableValue

__all__ = ["LONGEST_SUBJECT", "LONGEST_VALUE", "Renderer", "TemplateBroken", "UnprintableValue"]
