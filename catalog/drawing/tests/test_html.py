from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.fast.html import fast_format_html


def test_values_are_escaped_unless_they_are_safe_and_the_result_is_safe() -> None:
    html = fast_format_html("<b>{text}</b>{drawn}{number}", text="<i>'&\"", drawn=SafeString("<hr>"), number=3)

    assert html == "<b>&lt;i&gt;&#x27;&amp;&quot;</b><hr>3"
    assert type(html) is SafeString


def test_it_is_what_format_html_gives() -> None:
    values = {"song": 'Tom & "Jerry" <3 \'', "icon": SafeString("<svg/>"), "label": gettext_lazy("Like"), "key": 1.5}
    pattern = '<a title="{song}" data-key="{key}">{icon}{label}</a>'

    assert fast_format_html(pattern, **values) == format_html(pattern, **values)


def test_what_draws_itself_is_escaped() -> None:
    class Drawn:
        def __html__(self) -> str:
            return "<script>"

        def __str__(self) -> str:
            return "<drawn>"

    assert fast_format_html("{it}", it=Drawn()) == "&lt;drawn&gt;"
