"""The commands about the keys that sign a clinic's mail (DKIM).

Invariant: what is printed is public; a private key never leaves the database.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli.documents import moment
from reminders.cli.options import AsJson, ClinicSlug, examples
from reminders.cli.output import say, say_json, say_table
from reminders.cli.session import opened

if TYPE_CHECKING:
    from reminders.mail.sender.finding import Entry
    from reminders.services.signing import KeyView

Selector = Annotated[str | None, typer.Option("--selector", metavar="NAME", help="The key's name in the name service.")]
ThisSelector = Annotated[str, typer.Option("--selector", metavar="NAME", help="The key's name in the name service.")]


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The keys that sign a clinic's mail.", no_args_is_help=True, rich_markup_mode=None)
    shell.add_typer(group, name="sender")
    group.command(
        "key", epilog=examples("reminders sender key --clinic north", "reminders sender key --clinic north --json")
    )(key)
    group.command("activate", epilog=examples("reminders sender activate --clinic north"))(activate)
    group.command("list", epilog=examples("reminders sender list", "reminders sender list --json"))(list_keys)
    group.command("retire", epilog=examples("reminders sender retire --clinic north --selector reminders-202611"))(
        retire
    )


def key(ctx: typer.Context, clinic: ClinicSlug, selector: Selector = None, as_json: AsJson = False) -> None:
    """Make a key for a clinic's sender, and say what to paste.

    It signs nothing before `sender activate`. Run again it shows the key that waits; another --selector makes another
    key, which takes over from the one in use when it is activated. The private key stays in the database, encrypted.
    """
    with opened(ctx) as app:
        made = app.make_sender_key(clinic, selector)
    if as_json:
        say_json(_document(made))
        return
    say(f"The key {made.selector} of {made.domain} waits. Make this entry where the domain's DNS is kept:")
    say_entry(made.entry)
    say(f"Then `reminders sender activate --clinic {clinic}` begins to sign.")


def activate(
    ctx: typer.Context,
    clinic: ClinicSlug,
    selector: Selector = None,
    force: Annotated[bool, typer.Option("--force", help="Even if its entry is not seen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Begin to sign a clinic's mail with its waiting key.

    The entry is looked for first: what is signed with a key that nobody can look up counts as forged. The key in use
    before is retired. Keep its entry for a month: mail on its way still carries its signature.
    """
    with opened(ctx) as app:
        used = app.activate_sender_key(clinic, selector, force=force)
    if as_json:
        say_json(_document(used))
        return
    say(f"Mail from {used.domain} is signed with the key {used.selector} from now on.")


def retire(ctx: typer.Context, clinic: ClinicSlug, selector: ThisSelector, as_json: AsJson = False) -> None:
    """End the use of a key for good.

    If it was in use, mail from its domain goes out unsigned afterwards, unless the mail server signs. Its private half
    is destroyed. Take its entry away a month later.
    """
    with opened(ctx) as app:
        ended = app.retire_sender_key(clinic, selector)
    if as_json:
        say_json(_document(ended))
        return
    say(f"The key {ended.selector} of {ended.domain} is retired. Take its entry away a month from now.")


def list_keys(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the keys, those that wait and those retired too."""
    with opened(ctx) as app:
        found = app.sender_keys()
    if as_json:
        say_json([_document(one) for one in found])
        return
    if not found:
        say("There is no key: the mail server has to sign, or `reminders sender key` makes one.")
        return
    say_table(
        ("domain", "key", "state", "clinics", "made", "in use from", "retired"),
        (
            (
                *(one.domain, one.selector, one.state, ", ".join(one.clinics)),
                *(at and f"{at:%Y-%m-%d}" for at in (one.created_at, one.active_at, one.retired_at)),
            )
            for one in found
        ),
    )


def say_entry(entry: "Entry") -> None:
    """Print an entry of the name service so that each part can be copied."""
    say(f"    name   {entry.name}")
    say(f"    type   {entry.kind}")
    say(f"    value  {entry.written}")


def entry_document(entry: "Entry") -> dict[str, object]:
    """Return an entry as JSON: the value whole, and in the strings of which none is longer than 255 characters."""
    return {"name": entry.name, "type": entry.kind, "value": entry.value, "strings": list(entry.strings)}


def _document(view: "KeyView") -> dict[str, object]:
    return {
        "domain": view.domain,
        "selector": view.selector,
        "state": view.state,
        "clinics": list(view.clinics),
        "record": entry_document(view.entry),
        "created_at": moment(view.created_at),
        "active_at": moment(view.active_at),
        "retired_at": moment(view.retired_at),
    }
