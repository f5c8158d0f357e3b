"""What must become of a message for everything a mail server may do at each phase: the table, written by hand.

Invariant: a letter is what the product promises, not what the code computes; `tests/faults` proves each of them by a
whole delivery. A dot in a column means that the pair makes no sense, or says nothing that its neighbours do not.

| letter | state     | attempts | what else                                                                          |
|--------|-----------|----------|------------------------------------------------------------------------------------|
| s      | sent      | 1        | nothing is held against anybody                                                    |
| u      | unknown   | 1        | a fault of the transport; never sent again by itself                               |
| c      | planned   | 0        | the transport rests at once: trying again cannot cure it                           |
| f      | planned   | 0        | the transport rests after three connections                                        |
| t, T   | planned   | 0, 1     | a fault of the transport; again in 5 to 7.5 minutes, no refusal is counted         |
| m      | planned   | 1        | put off; again in 5 to 7.5 minutes, a refusal is counted                           |
| p      | planned   | 1        | as m, and the transport's breaker counts a refusal                                 |
| n, N   | failed    | 1        | refused for good; N: the breaker counts it. No address suffers                     |
| a      | failed    | 1        | the address is suppressed, and what else was planned for it is withdrawn           |
"""

from tests.support import chaos_acts
from tests.support.chaos_server import PHASES

_REPLIES = """
reply                                        banner ehlo starttls auth mail rcpt data body dot rset quit
421 4.3.2 closing                               f     f     f      f    t    t    T    T    T    s    s
421 too many connections                        f     .     .      f    .    t    T    .    T    .    .
450 mailbox busy                                f     f     .      f    t    m    m    m    m    s    s
450 4.2.0 greylisted                            .     .     .      .    .    m    m    .    m    .    .
450 4.7.1 come back in 300 seconds              .     .     .      .    .    m    .    .    m    .    .
451 local error                                 f     f     .      f    .    m    m    m    m    s    .
451 4.3.0 lookup failed                         .     .     .      .    .    p    p    p    p    .    .
451 4.7.1 greylisting in action                 .     .     .      .    t    m    m    .    m    .    .
452 too many mails                              .     .     .      .    t    p    p    p    p    .    .
452 4.2.2 mailbox full                          .     .     .      .    .    m    m    .    m    .    .
452 4.3.1 out of storage                        .     .     .      .    .    p    p    .    p    .    .
454 4.7.0 TLS not available just now            .     .     f      f    .    m    .    .    m    .    .
471 4.7.1 filtered for now                      .     .     .      .    .    m    m    .    m    .    .
450-4.2.0 not$450-4.2.0 just$450 4.2.0 now      f     .     .      f    .    m    m    m    m    .    s
500 syntax error                                c     c     c      c    t    t    T    T    N    s    s
501 syntax error in parameters                  .     c     c      c    .    n    N    .    N    .    .
501 5.1.3 bad address syntax                    .     .     .      .    .    a    a    .    a    .    .
502 not implemented                             c     .     .      c    .    t    T    T    N    .    .
503 bad sequence                                c     c     c      c    t    t    T    T    N    s    s
504 mechanism not implemented                   .     .     .      c    .    t    T    .    N    .    .
521 this host takes no mail                     c     c     .      .    t    t    T    T    N    .    .
523 5.7.10 encryption needed                    .     .     .      c    .    t    T    .    N    .    .
530 5.7.0 authentication required               c     c     c      c    t    t    T    T    N    .    .
534 5.7.9 mechanism too weak                    .     .     .      c    .    t    T    .    N    .    .
535 5.7.8 credentials invalid                   .     .     .      c    .    t    T    .    N    .    .
538 5.7.11 encryption required                  .     .     .      c    .    t    .    .    N    .    .
541 rejected by the filter                      .     .     .      .    .    N    N    .    N    .    .
550 mailbox unavailable                         c     c     .      c    t    a    N    N    N    s    s
550 5.1.1 user unknown                          .     .     .      .    t    a    a    a    a    .    .
550 5.1.10 null MX                              .     .     .      .    .    a    .    .    .    .    .
550 5.2.1 mailbox disabled                      .     .     .      .    .    a    .    .    .    .    .
550 5.4.5 daily quota exceeded                  .     .     .      .    .    N    N    .    N    .    .
550 5.7.1 blocked by policy                     c     .     .      .    .    N    N    N    N    .    .
550 relaying denied                             .     .     .      .    .    N    .    .    .    .    .
551 user not local                              .     .     .      .    .    a    N    .    N    .    .
552 quota                                       .     .     .      .    .    N    N    N    N    .    .
552 5.2.2 mailbox full                          .     .     .      .    .    n    n    n    n    .    .
552 5.3.4 message too big                       .     .     .      .    .    N    N    N    N    .    .
553 name not allowed                            .     .     .      .    .    a    N    .    N    .    .
553 5.1.8 bad sender                            .     .     .      .    t    t    T    .    T    .    .
554 no                                          c     c     c      c    t    N    N    N    N    s    s
554 5.7.1 spam                                  c     .     .      .    .    N    N    N    N    .    .
556 domain takes no mail                        .     .     .      .    .    a    N    .    N    .    .
556 5.1.10 null MX                              .     .     .      .    .    a    .    .    .    .    .
571 delivery not authorised                     .     .     .      .    .    N    N    .    N    .    .
599 whatever this is                            c     c     .      .    .    N    N    .    N    .    .
550-5.1.1 no$550-5.1.1 such$550 5.1.1 user      c     .     .      c    t    a    a    a    a    .    s
554-sorry$554                                   c     .     .      c    .    N    N    N    N    .    .
250 where 354 is due                            .     .     .      .    .    .    T    .    .    .    .
354 where 250 is due                            c     c     c      c    t    t    .    T    u    s    s
399 go on                                       c     .     c      c    t    t    T    T    u    s    s
251 will forward                                .     .     .      .    .    s    T    T    s    s    .
252 cannot verify, will try                     .     .     .      .    s    s    T    T    s    .    .
"""

_BEHAVIOURS = """
behaviour                   banner ehlo starttls auth mail rcpt data body dot rset quit
many lines                     s     s     s      s    s    s    s    .    s    s    s
a code alone                   s     s     .      .    s    s    s    .    s    s    .
a lone LF                      s     .     s      .    s    s    s    .    s    s    .
letters of all kinds           s     .     .      .    .    s    s    .    s    .    .
a NUL in the text              s     .     .      .    s    .    s    .    s    .    .
a line of 2,000                s     .     .      .    .    s    s    .    s    .    .
in two pieces                  s     s     .      s    s    s    s    .    s    s    .
late, within the limit         s     s     .      .    s    s    s    .    s    s    s
no code                        c     c     c      c    t    t    T    T    u    s    s
an empty line                  c     c     .      c    t    t    T    T    u    s    .
a negative code                c     .     .      .    t    t    T    .    u    s    .
a huge code                    c     .     .      .    t    .    T    .    u    s    .
two digits                     c     .     .      .    .    t    T    .    u    .    .
a code without a space         c     .     .      c    t    t    .    .    u    .    .
a NUL before the code          c     .     .      c    t    .    T    T    u    .    .
binary junk                    c     c     .      c    t    t    T    T    u    .    .
junk without an end            c     c     .      .    t    t    T    T    u    .    .
the wrong class 1xx            c     c     .      c    t    t    T    .    u    s    .
the wrong class 6xx            c     .     .      .    t    t    T    .    u    .    .
the class 0xx                  c     .     .      .    .    t    T    .    u    .    .
a very long line               c     c     .      .    t    .    T    T    u    .    .
endless lines                  c     c     c      c    t    t    T    T    u    s    s
codes that disagree            c     c     .      c    t    t    T    T    u    .    .
a refusal that ends well       c     .     .      .    t    .    T    T    u    .    .
a web server                   c     c     .      .    t    .    .    .    u    .    .
close                          f     f     f      f    t    t    T    T    u    s    s
reset                          f     f     f      f    t    t    T    T    u    s    s
half-close                     f     f     .      f    t    t    T    T    u    .    .
half a line, then close        f     f     .      .    t    t    T    T    u    s    .
half a reply, then close       f     .     f      .    .    t    T    T    u    .    .
half a reply, then reset       f     f     .      .    t    .    T    T    u    .    .
silence                        f     f     .      f    t    t    T    u    u    s    s
half a line, then silence      f     .     .      .    .    t    T    T    u    .    .
half a reply, then silence     .     f     .      .    .    t    T    T    u    .    .
a lone CR                      .     .     .      .    .    .    T    T    u    .    .
drip                           f     .     .      f    t    t    T    T    u    s    s
drip of a line                 .     .     .      .    .    t    T    T    u    .    .
drip of lines                  .     .     .      .    t    .    T    T    u    .    .
too late                       f     .     .      .    t    t    T    .    u    .    .
twice                          c     t     c      t    t    T    T    .    s    s    s
then garbage                   c     t     .      .    t    T    T    .    s    s    s
then a refusal                 .     .     c      .    t    T    N    .    s    s    .
then close                     f     t     f      t    t    T    T    .    s    s    s
then reset                     .     .     .      .    .    .    .    .    .    s    s
then half-close                f     t     .      .    t    T    T    .    s    s    .
then silence                   f     t     .      .    t    T    .    .    s    s    s
early                          .     c     c      c    t    t    T    .    T    s    s
"""


PIPELINED = {
    ("twice", "mail"): "T",  # taken for the reply to RCPT, and that one for DATA's, which it cannot be
    ("then a refusal", "rcpt"): "N",  # taken for the reply to DATA
    ("early", "rcpt"): "s",  # nobody can tell
}
"""The letters that differ where the server takes MAIL, RCPT and DATA in one go."""


def replies() -> dict[tuple[str, str], str]:
    """Return the letter for each reply at each phase; `$` in a reply's name ends one of its lines."""
    return _read(_REPLIES)


def behaviours() -> dict[tuple[str, str], str]:
    """Return the letter for each behaviour of `chaos_acts` at each phase."""
    return _read(_BEHAVIOURS)


def _read(table: str) -> dict[tuple[str, str], str]:
    head, *rows = table.strip().splitlines()
    if tuple(head.split()[-len(PHASES) :]) != PHASES:
        raise ValueError(head)
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        cells = row.split()
        name, marks = " ".join(cells[: -len(PHASES)]), cells[-len(PHASES) :]
        found |= {(name, phase): mark for phase, mark in zip(PHASES, marks, strict=True) if mark != "."}
    return found


WAITS = frozenset(chaos_acts.SILENT) | {"then silence"}
"""Behaviours that only a limit ends."""
