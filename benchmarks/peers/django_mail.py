"""Queues and sends mail with django-post_office, as its documentation sets it up, on a PostgreSQL of ours.

Usage: python django_mail.py prepare|send DSN PORT COUNT FILE words|bytes PROCESSES. `words`: it builds each message
from text and HTML; `bytes`: its backend writes the prepared bytes of FILE, and everything else of it stays.
"""

import email.policy
import sys
from email import message_from_bytes
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

AT_A_TIME = 1000


class PreparedBytes(EmailBackend):
    """Writes prepared bytes instead of building a message."""

    content = b""

    def _send(self, email_message: object) -> bool:
        recipients = email_message.recipients()  # type: ignore[attr-defined]
        self.connection.sendmail("hello@clinic.example", recipients, self.content)
        return True


def configure(dsn: str, port: int, builder: str) -> None:
    """Set Django up with its defaults, persistent connections, and batches of a thousand."""
    place = urlsplit(dsn)
    backend = "__main__.PreparedBytes" if builder == "bytes" else "django.core.mail.backends.smtp.EmailBackend"
    settings.configure(
        INSTALLED_APPS=["post_office"],
        USE_TZ=True,
        SECRET_KEY=__name__,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_BACKEND="post_office.EmailBackend",
        POST_OFFICE={"BACKENDS": {"default": backend}, "BATCH_SIZE": AT_A_TIME},
        LOGGING_CONFIG=None,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": place.path.lstrip("/"),
                "USER": place.username,
                "HOST": parse_qs(place.query)["host"][0],
            }
        },
    )
    django.setup()


def prepare(count: int, path: str) -> None:
    """Make the tables and queue `count` messages."""
    from django.core.management import call_command
    from post_office.models import PRIORITY, STATUS, Email

    call_command("migrate", verbosity=0)
    message = message_from_bytes(Path(path).read_bytes(), policy=email.policy.default)
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    carried = ("List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Content-Language", "Reply-To")
    headers = {name: str(message[name]) for name in carried if message[name]}
    Email.objects.bulk_create(
        (
            Email(
                from_email=str(message["From"]),
                to=[f"p{number}@patients.example"],
                subject=str(message["Subject"]),
                message=text,
                html_message=html,
                headers=headers,
                status=STATUS.queued,
                priority=PRIORITY.medium,
            )
            for number in range(count)
        ),
        batch_size=AT_A_TIME,
    )


def send(count: int, path: str, processes: int) -> None:
    """Send everything, as `manage.py send_queued_mail --processes N` does."""
    from django.core.management import call_command
    from post_office.models import STATUS, Email

    PreparedBytes.content = Path(path).read_bytes()
    call_command("send_queued_mail", processes=processes, lockfile=f"{path}.lock")
    sent = Email.objects.filter(status=STATUS.sent).count()
    if sent != count:
        sys.exit(f"{sent} of {count} were sent")


def main() -> None:
    """Do what the command line says."""
    what, dsn, port, count, path, builder, processes = sys.argv[1:]
    configure(dsn, int(port), builder)
    if what == "prepare":
        prepare(int(count), path)
    else:
        send(int(count), path, int(processes))


if __name__ == "__main__":
    main()
