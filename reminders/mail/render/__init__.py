"""Templates become words here and nowhere else in the mail: the only room of this floor that knows the template engine.

Invariant: what is rendered comes from our own files, or passed the list of what a clinic's template may hold.
"""

from reminders.mail.render.renderer import LONGEST_SUBJECT, Renderer, TemplateBroken, wrapped
from reminders.mail.render.values import GLUE, LONGEST_GLUED, LONGEST_VALUE, UnprintableValue, glued_window

__all__ = [
    "GLUE",
    "LONGEST_GLUED",
    "LONGEST_SUBJECT",
    "LONGEST_VALUE",
    "Renderer",
    "TemplateBroken",
    "UnprintableValue",
    "glued_window",
    "wrapped",
]
