"""Names every command, with the sentence that the list of commands says of it, and loads the one that is asked for.

Invariant: to show that list, no command is loaded: together they take longer than everything else that help needs.
"""

from importlib import import_module

import typer
from typer.core import TyperCommand
from typer.main import get_group

COMMANDS = {
    "init": ("installation", "Create or upgrade the database, and make the secret key."),
    "demo": ("installation", "Show a complete sample clinic with an inbox of its own."),
    "doctor": ("checks", "Say what is wrong with the installation, and how to mend it."),
    "clinic": ("clinic", "Clinics: enrol, list, change, pause."),
    "sender": ("sender", "The keys that sign a clinic's mail."),
    "template": ("template", "A clinic's own templates."),
    "protocol": ("protocol", "The catalogue of protocols."),
    "patient": ("patient", "Patients: enrol, show, change, hold, erase."),
    "treatment": ("treatment", "Treatments: log one, or take one back."),
    "appointment": ("appointment", "Appointments: booked, and what became of them."),
    "import": ("importing", "Import a clinic's export of visits from CSV or XLSX."),
    "plan": ("plan", "Make the stored reminders agree with the facts."),
    "deliver": ("deliver", "Send everything that is due now, then end."),
    "run": ("working", "Serve the pages and keep the clock, on one machine."),
    "worker": ("working", "Keep the clock: send what is due by itself, without pages."),
    "serve": ("serving", "Serve the pages behind the links of the messages."),
    "list": ("listing", "List reminders in the order in which they fall due."),
    "why": ("why", "Explain every step of a patient: sent, to come, or why not."),
    "requests": ("requests", "What patients asked or answered, until staff have dealt with it."),
    "preview": ("preview", "Show a message exactly as it would be sent."),
    "simulate": ("simulate", "Show who would receive what on which day."),
    "release": ("decisions", "Let held reminders go."),
    "hold": ("decisions", "Keep planned reminders back until you release them."),
    "settle": ("decisions", "Decide what became of a message whose fate is unknown."),
    "retry": ("decisions", "Plan failed reminders again."),
    "bounce": ("decisions", "Note that a sent message came back."),
    "audit": ("checks", "Verify the promises on the live database."),
    "unlock": ("guarding", "Let sending go on after it locked itself."),
    "backup": ("guarding", "Keep a consistent copy of the database while everything runs."),
}
"""The commands in the order in which a person meets them: the module of each, and the first sentence of its help."""


def stand_ins() -> dict[str, TyperCommand]:
    """Return what tells each command's name and sentence, and does nothing."""
    return {name: TyperCommand(name, help=says) for name, (_, says) in COMMANDS.items()}


def load(name: str) -> TyperCommand:
    """Return the command, or the group of commands, of this name."""
    part = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    import_module(f"reminders.cli.{COMMANDS[name][0]}").register(part)
    return get_group(part).commands[name]  # type: ignore[return-value] # the library calls it by its base's name
