"""Tells a row that cannot be read from a mistake of the program's own, by where reading it failed.

Invariant: only what the store itself failed to read counts; an error of a service or of a face passes as it is.
"""

import re
import traceback

_NOT_A_CODE = re.compile(r"is not a valid (\w+)$")
_CODES = {
    "State": "reminders",
    "Reason": "reminders",
    "TreatmentClass": "reminders",
    "Status": "patients",
    "Consent": "patients",
    "Kind": "treatments",
    "AnswerKind": "answers",
    "Outcome": "appointments",
}
_MODULES = {"facts": "patients"} | dict.fromkeys(("listing", "stored", "outbox", "lapses", "queue"), "reminders")
_BUILT_IN = frozenset({"builtins", "json.decoder"})
_STORE = __name__.rpartition(".")[0]
_PACKAGE = _STORE.partition(".")[0]
_READ_FOR_OTHERS = (f"{_PACKAGE}.domain.", f"{_STORE}.columns")


def unreadable_table(error: ValueError | LookupError | TypeError) -> str | None:
    """Return the table whose row the store could not read, as near as it can be told; None for any other error."""
    if type(error).__module__ not in _BUILT_IN or isinstance(error, UnicodeEncodeError):
        return None  # what cannot be encoded was asked for, and does not stand there
    module = _last_module(error)
    if not module.startswith(f"{_STORE}."):
        return None
    code = _NOT_A_CODE.search(str(error))
    name = module.rpartition(".")[2]
    return _CODES.get(code[1], name) if code else _MODULES.get(name, name)


def _last_module(error: BaseException) -> str:
    """Return the product's module in which it happened; what the store asks the domain to read is the store's."""
    last = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(f"{_PACKAGE}.") and not module.startswith(_READ_FOR_OTHERS):
            last = module
    return last
