"""Attacks on the template engine: every one is refused at saving with its line, and again where it would be filled.

Invariant of the list: no attack needs another's answer; each is one idea, written as somebody would try it.
"""

import pytest

from reminders.mail.message import OwnTemplate
from reminders.mail.render import Renderer, TemplateBroken
from tests.mail.letters import LINKS, facts
from tests.mail.templates import WORDS_LINE, errors, with_subject, with_words

ESCAPES = (
    # stored references to str.format and its kin (CVE-2016-10745, CVE-2019-10906, CVE-2024-56326)
    "{{ '{0.__class__.__mro__}'.format(name) }}",
    "{{ '%s'.format_map({'a': name}) }}",
    "{{ ('{0.__init__}'|string).format(who) }}",
    "{% set f = '{0}'.format %}{{ f(name) }}",
    "{{ ['{0.__class__}']|map('format', name)|list }}",
    "{{ '{0.__class__}'|attr('format')(name) }}",  # CVE-2025-27516
    "{{ name|attr('__class__') }}",
    "{{ name|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ name|attr(['__cla','ss__']|join) }}",
    "{% include '{{ x }}' %}",  # CVE-2024-56201: a template's name in an error
    '{% extends "{% raw %}" %}',
    # attributes and items
    "{{ name.__class__ }}",
    "{{ name.__class__.__mro__[1].__subclasses__() }}",
    "{{ name['__class__'] }}",
    "{{ ''.__class__ }}",
    "{{ ().__class__.__base__ }}",
    "{{ [].__class__ }}",
    "{{ {}.__class__ }}",
    "{{ name.upper() }}",
    "{{ name.encode('rot13') }}",
    "{{ name[0] }}",
    "{{ name[0:2] }}",
    "{{ name[::-1] }}",
    "{{ name . __doc__ }}",
    "{{ (name).__class__ }}",
    "{{ (name|upper).__class__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self }}",
    "{{ loop }}",
    "{{ super() }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{{ kwargs }}",
    # what an engine's globals give
    "{{ range(9) }}",
    "{{ lipsum(n=3000) }}",
    "{{ cycler('a', 'b').next() }}",
    "{{ joiner(',') }}",
    "{{ namespace(a=1) }}",
    "{{ dict(a=1) }}",
    "{{ config }}",
    "{{ request.application }}",
    "{{ url_for.__globals__ }}",
    "{{ get_flashed_messages() }}",
    "{{ environ }}",
    "{{ settings }}",
    "{{ __import__('os').popen('id').read() }}",
    "{{ __builtins__ }}",
    "{{ context }}",
    "{{ environment }}",
    "{{ _ }}",
    "{{ gettext('a') }}",
    # names that only look like ours
    "{{ \uff4e\uff41\uff4d\uff45 }}",
    "{{ n\u0430me }}",
    "{{ NAME }}",
    "{{ recipient }}",
    "{{ patient_name }}",
    "{{ email }}",
    "{{ stop_url }}",
    "{{ request_url }}",
    "{{ emergency }}",
    "{{ jurisdiction }}",
    "{{ said }}",
    "{{ body }}",
    "{{ bare }}",
    "{{ name|bare }}",
    "{{ True }}",
    "{{ none }}",
    "{{ undefined }}",
)
STATEMENTS = (
    "{% for x in name %}{{ x }}{% endfor %}",
    "{% for x in label %}a{% endfor %}",
    "{% for x in range(99999) %}{% for y in range(99999) %}a{% endfor %}{% endfor %}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% macro m(n) %}{{ m(n-1) }}{{ m(n-1) }}{% endmacro %}{{ m(99) }}",
    "{% call m() %}{% endcall %}",
    "{% filter upper %}a{% endfilter %}",
    "{% set name = 'x' %}",
    "{% set x %}a{% endset %}",
    "{% block body %}{% endblock %}",
    "{% extends 'base.txt' %}",
    "{% include 'base.txt' %}",
    "{% include ['a', 'b'] ignore missing %}",
    "{% import 'base.txt' as b %}",
    "{% from 'base.txt' import b with context %}",
    "{% with a = 1 %}{% endwith %}",
    "{% autoescape false %}{{ name }}{% endautoescape %}",
    "{% do name.upper() %}",
    "{% trans %}a{% endtrans %}",
    "{% debug %}",
    "{% continue %}",
    "{% raw %}{{ name }}{% endraw %}",
    "{%raw%}{% for %}{%endraw%}",
    "{# a comment #}",
    "{#- a comment -#}",
    "{# {{ name }} ",
    "{%- if name %}a{% endif %}",
    "{% if name -%}a{% endif %}",
    "{{- name -}}",
    "{%+ if name %}a{% endif %}",
    "{% if %}a{% endif %}",
    "{% if name %}a",
    "{% endif %}",
    "{% else %}",
    "{% elif name %}",
    "{% if name %}{% else %}{% else %}{% endif %}",
    "{% if name %}a{% endif name %}",
    "{{ name",
    "{{ }}",
    "{% %}",
    "{{ name }",
    "{{ {{ name }} }}",
    "name }}",
    "{% if name % } %}",
    "{% unknown %}",
    "{% IF name %}{% ENDIF %}",
)
EXPRESSIONS = (
    "{{ 7 * 7 }}",
    "{{ '7' * 7 }}",
    "{{ 'a' * 2000000000 }}",
    "{{ 10 ** 4000000 }}",
    "{{ 9 // 0 }}",
    "{{ 1 % 0 }}",
    "{{ '%2000000000d' % 1 }}",
    "{{ name ~ name }}",
    "{{ 'a' + 'b' }}",
    "{{ -name }}",
    "{{ +name }}",
    "{{ 1 }}",
    "{{ 1.5 }}",
    "{{ 1e999999 }}",
    "{{ 0xffffffffffffffffffffffff }}",
    f"{{{{ {'9' * 5000} }}}}",
    "{{ not name }}",
    "{{ name and who }}",
    "{{ name or who }}",
    "{{ name == who }}",
    "{{ name if phone else who }}",
    "{{ [name] }}",
    "{{ (name, who) }}",
    "{{ {'a': name} }}",
    "{% if name > 'a' %}a{% endif %}",
    "{% if name < who < label %}a{% endif %}",
    "{% if 'a' in name %}a{% endif %}",
    "{% if 'a' not in name %}a{% endif %}",
    "{% if name == who %}a{% endif %}",
    "{% if name == 'a' == 'b' %}a{% endif %}",
    "{% if name == 1 %}a{% endif %}",
    "{% if 'a' == 'a' %}a{% endif %}",
    "{% if name is defined %}a{% endif %}",
    "{% if name is string %}a{% endif %}",
    "{% if name is sameas(who) %}a{% endif %}",
    "{% if name is not none %}a{% endif %}",
    "{% if name|length > 3 %}a{% endif %}",
    "{{ '\\u202e' }}",
    "{{ '\\r\\nBcc: x' }}",
    "{{ '{{ name }}' }}",
    "{{ '{%' }}",
    f"{{{{ '{'a' * 500}' }}}}",
    "{{ name|default(who) }}",
    "{{ name|default('a', true) }}",
    "{{ name|default(value='a') }}",
    "{{ name|default(*'ab') }}",
    "{{ name|upper('a') }}",
    "{{ name|date }}",
    "{{ phone|time }}",
    f"{{{{ label{'|upper' * 12} }}}}",
    f"{{{{ {'(' * 500}name{')' * 500} }}}}",
    "{% if " + "not " * 500 + "name %}a{% endif %}",
    "{% if " + " and ".join(["label"] * 300) + " %}a{% endif %}",
    "{% if name %}" * 11 + "a" + "{% endif %}" * 11,
    "{% if label %}a{% endif %}" * 41,
    "{% if label %}a" + "{% elif label %}a" * 60 + "{% endif %}",
    "{{ label }}" * 1001,
)
FILTERS = (
    *("abs", "attr", "batch", "capitalize", "center", "count", "d", "dictsort", "e", "escape", "filesizeformat"),
    *("first", "float", "forceescape", "format", "groupby", "indent", "int", "items", "join", "last", "length", "list"),
    *("map", "max", "min", "pprint", "random", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select"),
    *("selectattr", "slice", "sort", "string", "striptags", "sum", "tojson", "trim", "truncate", "unique", "urlencode"),
    *("urlize", "wordcount", "wordwrap", "xmlattr", "ljust", "zfill", "markdown", "Upper"),
    "\uff55\uff50\uff50\uff45\uff52",
)
SUBJECTS = (
    "{{ name }}: a consultation",
    "{{ who }}: a consultation",
    "{{ label }} consultation",
    "{% if name %}A consultation{% endif %}",
    "{{ window }} consultation",
    "{{ opens | date }}: your consultation",
    "{{ sender.upper() }} consultation",
    "{{ sender | safe }} consultation",
    "{% for x in sender %}{{ x }}{% endfor %} consultation",
)


@pytest.mark.parametrize("attack", [*ESCAPES, *STATEMENTS, *EXPRESSIONS])
def test_what_is_no_name_no_if_and_no_filter_of_ours_is_refused_with_its_line(attack: str) -> None:
    assert [one.line for one in errors(with_words(attack))][:1] == [WORDS_LINE]


@pytest.mark.parametrize("sign", ["*", "**", "/", "//", "%", "~", "+", "-", ".", ",", "=", "<", ">=", ":"])
def test_a_sign_that_is_not_ours_never_reaches_the_parser(sign: str) -> None:
    [found] = errors(with_words(f"{{{{ label {sign} label }}}}"))
    assert (found.line, found.what.split()[0]) == (WORDS_LINE, f'"{sign}"')


@pytest.mark.parametrize("name", FILTERS)
def test_no_other_filter_is_there(name: str) -> None:
    [found] = errors(with_words(f"{{{{ label | {name} }}}}"))
    assert (found.line, "filter" in found.what) == (WORDS_LINE, True)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_shows_the_sender_and_the_clinic_alone(subject: str) -> None:
    assert errors(with_subject(subject))[0].line == 1


@pytest.mark.parametrize("attack", [*ESCAPES, *STATEMENTS])
def test_what_got_past_saving_is_not_filled_either(attack: str) -> None:
    stored = OwnTemplate(1, 1, with_words(attack))
    with pytest.raises(TemplateBroken):
        Renderer().render(facts(own=stored), LINKS)


def test_there_are_as_many_attacks_as_promised() -> None:
    families = (ESCAPES, STATEMENTS, EXPRESSIONS, FILTERS, SUBJECTS)
    assert sum(len(set(family)) for family in families) >= 150


@pytest.mark.parametrize(
    "words",
    [
        "{% if name %}{{ name }}{% else %}You{% endif %} may ask.",
        "{{ name | default('Friend') | upper }} may ask.",
        "{{ 'soon' | title }} it is.",
        "From {{ opens | date }} to {{ closes | date }}, at {{ '17:30' | time }}.",
        "{% if language == 'en' and not phone %}a{% elif phone != '' %}b{% endif %}",
        "{% if medical or representative %}a{% endif %}",
        "{% if booking_url %}{{ booking_url }}{% endif %}",
        "100 % of us {are} here % } { and {",
        "{% if name %}" * 10 + "a" + "{% endif %}" * 10,
    ],
)
def test_what_is_allowed_is_allowed(words: str) -> None:
    assert errors(with_words(words)) == []
