"""Attacks with HTML of a clinic's own: each is refused at saving with its line, and again when a message is made."""

import pytest

from reminders.mail.check import complaints
from reminders.mail.message import OwnTemplate
from reminders.mail.render import Renderer, TemplateBroken
from reminders.mail.templates import cleaning
from tests.mail.letters import LINKS, facts
from tests.mail.templates import HTML_LINE, errors, with_html

RUNNING = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\x20type='text/javascript'>x</script>",
    "<p onclick='x()'>a</p>",
    "<p onmouseover=x()>a</p>",
    "<p/onclick=x()>a</p>",
    "<p\nonclick='x()'>a</p>",
    "<svg onload=x()></svg>",
    "<svg><script>x</script></svg>",
    "<math><mi xlink:href='javascript:x'>a</mi></math>",
    "<iframe src='https://evil.example'></iframe>",
    "<iframe srcdoc='<script>x</script>'></iframe>",
    "<object data='https://evil.example'></object>",
    "<embed src='https://evil.example'>",
    "<applet code='x'></applet>",
    "<img src=x onerror=x()>",
    "<body onload=x()>",
    "<details open ontoggle=x()>a</details>",
    "<marquee onstart=x()>a</marquee>",
    "<video><source onerror=x()></video>",
    "<audio src='https://evil.example/a'></audio>",
    "<isindex action='javascript:x' type=submit>",
    "<template><script>x</script></template>",
    "<portal src='https://evil.example'></portal>",
    "<custom-tag onfocus=x() autofocus>a</custom-tag>",
    "<?xml version='1.0'?>",
    "<?php echo 1 ?>",
    "<%= x %>",
)
MUTATING = (
    "<noscript><p title='</noscript><img src=x onerror=x()>'></noscript>",
    "<svg></p><style><a id='</style><img src=x onerror=x()>'></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=x()&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=x()>",
    "<p><!--[if mso]><img src=x><![endif]--></p>",
    "<!--[if gte mso 9]><xml></xml><![endif]-->",
    "<p>a<!-- b --></p>",
    "<!-- what follows is hidden",
    "<p>a</p><!--",
    "<!--><script>x</script>-->",
    "<!DOCTYPE html>",
    "<![CDATA[<script>x</script>]]>",
    "<p><![CDATA[a]]></p>",
    "<title>a</title>",
    "<textarea>",
    "<xmp>",
    "<plaintext>",
    "<noembed>",
    "<listing>",
    "<p title='a>b'>c</p>",
    "<p>a</p",
    "<p",
    "< p>a</p>",
    "<p>a< /p>",
    "</ p>",
    "<p>a<b</p>",
    "<3",
    "<>",
    "</>",
    "<p =>a</p>",
)
LOADING = (
    "<p><img src='https://evil.example/pixel.gif' width=1 height=1></p>",
    "<p><img src='cid:logo'></p>",
    "<p><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='></p>",
    "<p><picture><source srcset='https://evil.example/x'></picture></p>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import url(https://evil.example/x.css);</style>",
    "<style>p{display:none}</style>",
    "<p style='background:url(https://evil.example/x)'>a</p>",
    "<p background='https://evil.example/x'>a</p>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<meta charset=utf-7>",
    "<blockquote cite='https://evil.example'><p>a</p></blockquote>",
    "<table background='https://evil.example/x'><tr><td>a</td></tr></table>",
    "<font face='x'>a</font>",
)
HIDING = (
    "<div style='display:none'>",
    "<p style='display:none'>a</p>",
    "<p hidden>a</p>",
    "<p class='text'>a</p>",
    "<p id='a'>a</p>",
    "<p dir='rtl'>a</p>",
    "<p aria-hidden='true'>a</p>",
    "<p data-part='consultation'>a</p>",
    "<div data-part='consultation'><p>With: nobody</p></div>",
    "<span style='font-size:0'>a</span>",
    "<center><p>a</p></center>",
    "<bdi>a</bdi>",
    "<bdo dir=rtl>a</bdo>",
    "</div>",
    "</td></tr></table>",
    "</p>",
    "</body></html>",
    "<p>a",
    "<p>a<p>b",
    "<p><p>a</p></p>",
    "<p><ul><li>a</li></ul></p>",
    "<ul><p>a</p></ul>",
    "<ul>a</ul>",
    "<li>a</li>",
    "<ul><li>a</ul>",
    "<p><strong>a</p></strong>",
    "<p><em>a</p>",
    '<p><a href="{{ booking_url }}">a</p>',
    "<h1>a</h1>",
    "a",
    "a{% if label %}<p>b</p>{% endif %}",
    "{% if name %}<p>{% endif %}a</p>",
    "{% if label %}<p>{% else %}<h2>{% endif %}a</p>",
    "<p{% if label %} onclick=x(){% endif %}>a</p>",
    "<{% if label %}script{% endif %}>",
    "<p>{% if name == 'nobody at all' %}<img src=x>{% endif %}</p>",
    "{% if phone %}</div>{% endif %}",
    "<select><option>a</option></select>",
    "<form action='https://evil.example'><input name=a><button>b</button></form>",
    "<input type=image src='https://evil.example/x'>",
)
LINKING = (
    *(
        f'<p><a href="{address}">a</a></p>'
        for address in (
            "https://evil.example",
            "http://harbour.example/visit",
            "https://harbour.example/visit",
            "https://harbour.example@evil.example/",
            "https://harbour.example.evil.example/",
            "https://xn--hrbour-9ya.example/",
            "https://h\u0430rbour.example/visit",
            "//evil.example",
            "/p/abc",
            "?a",
            "#top",
            "",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#9;script:alert(1)",
            "&#106;avascript:alert(1)",
            " javascript:alert(1)",
            "vbscript:x",
            "data:text/html,<b>",
            "file:///etc/passwd",
            "blob:https://evil.example/x",
            "tel:+19005550000",
            "sms:+19005550000",
            "mailto:someone@evil.example",
            "mailto:{{ reply_to }}",
            "https://{{ name }}",
            "{{ name }}",
            "{{ label }}",
            "{{ reply_to }}",
            "{{ booking_url }}?patient={{ name }}",
            "{{ booking_url | lower }}",
            "{{ booking_url | default('https://evil.example') }}",
            "x{{ booking_url }}",
            "{{ booking_url }}.evil.example",
            "{% if label %}https://evil.example{% endif %}",
        )
    ),
    "<p><a>a</a></p>",
    "<p><a href=https://evil.example>a</a></p>",
    "<p><a href='{{ booking_url }}'>a</a></p>",
    "<p><a href={{ booking_url }}>a</a></p>",
    '<p><a href="{{ booking_url }}" href="https://evil.example">a</a></p>',
    '<p><a href="{{ booking_url }}" target="_blank">a</a></p>',
    '<p><a href="{{ booking_url }}" ping="https://evil.example">a</a></p>',
    '<p><a href="{{ booking_url }}" style="color:#fff">a</a></p>',
    '<p><a xlink:href="https://evil.example">a</a></p>',
    '<p><a name="x">a</a></p>',
    '<p><a href="{{ booking_url }}"><a href="{{ booking_url }}">a</a></a></p>',
    "<p><area href='https://evil.example'></p>",
)
SHOWING = (
    "<p>See https://evil.example/now</p>",
    "<p>See www.evil.example</p>",
    "<p>See evil.example/now</p>",
    "<p>See evil<em>.com</em></p>",
    "<p>See &#104;ttps://evil.example</p>",
    "<p>&#123;&#123; name &#125;&#125;</p>",
    "<p>a&#8238;b</p>",
    "<p>a&#x202e;b</p>",
    "<p>a&shy;b</p>",
    "<p>a&ZeroWidthSpace;b</p>",
    "<p>Write to someone@else.example</p>",
    "<h2>Your consultation</h2>",
    "<h2>YOUR&nbsp;CONSULTATION</h2>",
    "<p>Your <em>consultation</em></p>",
    "<p>Your consultation</p><p>-----------------</p>",
    "<p>&#45;&#45;&#45;&#45;</p>",
    "<h3>Ihr&nbsp;Gespräch</h3><h2>About this message</h2>",
)


@pytest.mark.parametrize("attack", [*RUNNING, *MUTATING, *LOADING, *HIDING, *LINKING, *SHOWING])
def test_html_outside_the_grammar_is_refused_at_saving_with_its_line(attack: str) -> None:
    assert HTML_LINE in [one.line for one in errors(with_html(attack))]


@pytest.mark.parametrize("attack", [*RUNNING, *MUTATING, *LOADING, *LINKING])
def test_what_got_past_saving_makes_no_message(attack: str) -> None:
    shown = facts(own=OwnTemplate(1, 1, with_html(attack)))
    try:
        rendered = Renderer().render(shown, LINKS)
    except TemplateBroken:
        return
    assert complaints(rendered, shown, LINKS) or harmless(rendered.html)


@pytest.mark.parametrize(
    "html",
    ["<p style='color:red'>a</p>", "<p>a<!-- b --></p>", "<p>a<p>b", '<p><a href="https://evil.example">a</a></p>'],
)
def test_nothing_is_dropped_in_silence_when_a_message_is_made(html: str) -> None:
    with pytest.raises(TemplateBroken):
        Renderer().render(facts(own=OwnTemplate(1, 1, with_html(html))), LINKS)


def harmless(html: str) -> bool:
    """Tell whether nothing of an attack is left but its words, in their place and escaped."""
    return "evil" not in html and "onerror" not in html and "<script" not in html


@pytest.mark.parametrize("attack", [*RUNNING, *MUTATING, *LOADING, *HIDING])
def test_cleaning_leaves_nothing_but_its_tags(attack: str) -> None:
    cleaned = cleaning.clean(attack, ())
    assert cleaning.clean(cleaned, ()) == cleaned
    for word in ("<script", "<style", "<img", "<iframe", "onclick", "onerror", "onload", "<!--", "style=", "src="):
        assert word not in cleaned.replace("&lt;", "")


@pytest.mark.parametrize(
    "html",
    [
        "<p>Plain &amp; simple, 1 &lt; 2, “so”.</p>",
        "<h2>What we do</h2><ul><li>We <em>listen</em>.</li><li>We look.<br>Then we talk.</li></ul>",
        "<blockquote><p>A thought.</p></blockquote><ol><li><strong>One</strong></li></ol>",
        '{% if booking_url %}<p><a href="{{ booking_url }}">Book a time</a></p>{% endif %}',
        "{% if name %}\n<p>{{ name }}, take your time.</p>\n{% else %}\n<p>Take your time.</p>\n{% endif %}",
        "<P>Large <BR/> letters</P>",
        "<p>{% if phone %}Phone {{ phone }}{% endif %}</p>",
    ],
)
def test_ordinary_html_passes_and_stands_in_the_message(html: str) -> None:
    source = with_html(html)
    assert errors(source) == []
    shown = facts(own=OwnTemplate(1, 1, source))
    rendered = Renderer().render(shown, LINKS)
    assert complaints(rendered, shown, LINKS) == ()


def test_a_name_with_html_stands_as_text_in_html_of_the_clinics_own() -> None:
    source = with_html("<p>{% if name %}Dear {{ name }}.{% endif %}</p>")
    html = Renderer().render(facts(own=OwnTemplate(1, 1, source), patient_name="<b>A & 'B'</b>"), LINKS).html
    assert "Dear <bdi>&lt;b&gt;A &amp; 'B'&lt;/b&gt;</bdi>." in html


def test_the_products_own_section_follows_whatever_a_clinic_writes() -> None:
    source = with_html("<ul><li>One</li></ul>")
    html = Renderer().render(facts(own=OwnTemplate(1, 1, source)), LINKS).html
    assert html.index("<li") < html.index("Your consultation</h2>") < html.index("/u/")
