"""What can go wrong, and what must then be true: the rows of the table in docs/reliability.md.

Invariant: a row has tests whose names begin with its own, on every database it concerns, or says why it has none yet.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and its outcome; `missing` says why nothing here can go wrong that way yet."""

    name: str
    fault: str
    outcome: str
    missing: str = ""


ROWS = (
    Row(
        "F01",
        "killed at the claim, while connecting, or anywhere before the message's final dot",
        "the lease runs out, the reminder is planned again and goes out once",
    ),
    Row(
        "F02",
        "killed after the fence, after the dot, or after the server's 250",
        "`unknown` at the next delivery; never sent again by itself; a late answer or staff settle it",
    ),
    Row(
        "F03",
        "killed while planning, importing, erasing, migrating, or copying a backup",
        "whole transactions or nothing; the same command run again ends where an unkilled one would have",
    ),
    Row("F04", "the power fails: what was not flushed is gone", "as F01 and F02; the database opens whole"),
    Row(
        "F05",
        "the database server restarts, or a connection breaks, at COMMIT too",
        "back-off and a new connection; a COMMIT without an answer is looked up by key; no attempt is counted",
    ),
    Row(
        "F06",
        "another program keeps the database for seconds or a minute",
        "it waits, then says so; the clock lives on; a page answers 503 with Retry-After, nothing is half done",
    ),
    Row(
        "F07",
        "the disk is full, cannot be flushed, or is read-only",
        "nothing is claimed before there is room; one sentence; goes on without repair afterwards",
    ),
    Row(
        "F08",
        "a page of the database is damaged, its log is cut or gone; a row holds what nobody wrote",
        "refused with a sentence; never a fresh empty database in its place; an odd row costs nobody else anything",
    ),
    Row(
        "F09",
        "no mail server: refused, unknown name, time-out",
        "the breaker opens after three faults; no attempt is counted; it is tried with one message first",
    ),
    Row("F10", "a server that drips or says nothing", "a deadline over the whole transaction ends it"),
    Row(
        "F11",
        "4xx at the banner, MAIL, RCPT, DATA or the dot; greylisting",
        "tried again after 5 minutes to 4 hours, until the reminder's own days end",
    ),
    Row(
        "F12",
        "5xx for the recipient: no such user",
        "`failed`, the address is suppressed for this clinic, and the patient's other messages stop",
    ),
    Row(
        "F13",
        "5xx that blames us (policy, content, password) or a full quota",
        "the transport rests; no patient's address is suppressed for it",
    ),
    Row("F14", "the connection breaks within DATA", "planned again: no server can have accepted it"),
    Row("F15", "the connection breaks, or nothing comes, after the dot", "`unknown`"),
    Row("F16", "anything goes wrong at QUIT, after the 250", "`sent`"),
    Row(
        "F17",
        "STARTTLS not offered or taken away; a certificate out of date, of another name, unsigned; old TLS",
        "no mail and no password in the clear; the breaker opens at once",
    ),
    Row(
        "F18",
        "a message comes back later, twice, or in a forged notice",
        "matched by its Message-ID, counted once",
        missing="no mailbox is read for returned mail yet; staff record a bounce by hand",
    ),
    Row(
        "F19",
        "the clock jumps an hour, a day or ten years ahead",
        "sending pauses and says so; an impossible date locks it; nothing expires by a date nobody confirmed",
    ),
    Row(
        "F20",
        "the clock jumps back an hour or a day",
        "nothing goes out twice, since states decide and not times; no lease is kept longer than it lasts",
    ),
    Row(
        "F21",
        "daylight saving: skipped and repeated hours, midnight gaps, half hours",
        "each local day once; a skipped time is the first valid one after it, a repeated one its first",
    ),
    Row(
        "F22",
        "29 February, month ends, year ends, 2038, 2100",
        "clamped to the month's end, counted from the treatment",
    ),
    Row(
        "F23",
        "off duty for an hour, a day, a month, a year",
        "what had its days expires, a backlog is held, the rest goes in the order of its closing days",
    ),
    Row(
        "F24",
        "two copies run: by mistake, from a restored backup, on a cloned disk",
        "leases and epochs let one send; a copy locks its sending until a person confirms it",
    ),
    Row(
        "F25",
        "a worker sleeps for ten minutes and wakes behind its lease",
        "its writes hit no row; past the fence the message is `unknown` until its own late answer",
    ),
    Row(
        "F26",
        "asked to stop while sending",
        "the round in hand is finished, nothing new is begun, exit 0, no `unknown`",
    ),
    Row(
        "F27",
        "a migration is killed, or runs beneath a worker; an older program meets a newer database",
        "the old tables or the new ones, never between; refused with a sentence",
    ),
    Row(
        "F28",
        "a clinic's template is broken, endless, or fills in nothing",
        "refused when saved; at sending only that clinic's messages are held, and go when it is mended",
    ),
    Row("F29", "a template is edited while messages are on their way", "each message records its version"),
    Row(
        "F30",
        "a patient is erased while their message is on its way",
        "before the fence it does not go; after it only codes remain",
    ),
    Row(
        "F31",
        "a patient stops the messages between claim and dot",
        "it does not go; the clinic's other patients on that address stop too",
    ),
    Row(
        "F32",
        "booked, treated again, dead or inactive between claim and dot",
        "withdrawn at the fence with its reason",
    ),
    Row(
        "F33",
        "a family on one address; one person at two clinics",
        "each message once, and nothing crosses from clinic to clinic",
    ),
    Row(
        "F34",
        "many messages come back at once",
        "the clinic pauses itself",
        missing="needs the reading of returned mail, as F18; a server that refuses in a row is F13",
    ),
    Row("F35", "the same file is imported twice, in another order, overlapping", "no new row; counted as unchanged"),
    Row(
        "F36",
        "a file with bad rows, a wrong encoding, NUL bytes, endless lines, formulas; killed half-way",
        "bounded memory, errors by row and column, good rows unharmed",
    ),
    Row("F37", "an import that would make hundreds due at once", "held as a backlog until a person lets it go"),
    Row(
        "F38",
        "a message that kills whoever writes or sends it",
        "after three deaths it waits for a person; the others go on",
    ),
    Row(
        "F39",
        "one clinic with a million due",
        "the others are served in turn",
        missing="clinics are still served one after the other; fairness comes with several machines",
    ),
    Row(
        "F40",
        "no memory, no file handles, a pool of threads that stands still",
        "it says so and goes on, or the watch ends it with 75 for its supervisor; F01 and F02 hold",
    ),
    Row("F41", "the log or the address that is pinged hangs or is gone", "never delays or stops a delivery"),
    Row("F42", "the secret key or the mail password is changed", "old links still work, new ones use the new key"),
    Row("F43", "yesterday's backup is put back", "sending is locked; what fell due since is held for a person"),
    Row("F44", "a mail scanner opens every link, by GET and HEAD, over and over", "no row changes"),
    Row("F45", "a link's button is pressed twice, or its request is replayed", "the same answer, recorded once"),
    Row(
        "F46",
        "two of the staff edit one patient",
        "the later one is told",
        missing="there are no staff pages yet",
    ),
    Row(
        "F47",
        "addresses with other alphabets, of 320 characters, with line breaks in them",
        "refused at entry, or `failed` with its reason; nothing else is hurt",
    ),
)
