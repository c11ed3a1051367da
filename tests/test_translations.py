"""The second language: complete, compiled as written, its placeholders whole, and shown to who asks for it."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import allauth
import django
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import get_language_info, override
from django.utils.translation.template import templatize

from feedback.tests.factories import UserFactory

FOLDER = Path(settings.LOCALE_PATHS[0]) / "de" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]|%%")
FIELD = re.compile(r'^(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) "')
APPS = ("accounts", "catalog", "feedback", "jobs", "recommender", "spotify_rec")
# A text is the first argument of these, and the second of those with a context.
PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}
# Words of the administration that German has as well.
SAME_IN_GERMAN = {"feedback", "id", "isrc", "tempo"}
# What `templatize` writes between the text of a template that it blots out.
CALL = re.compile(r"(?<!\w)(gettext|ngettext|pgettext|npgettext|_)\(")
LITERAL = re.compile(r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*(,?)\s*""")


def entries() -> list[dict[str, str]]:
    """Return the fields of every entry of the .po file."""
    texts = []
    for block in (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n")[1:]:
        fields: dict[str, str] = {}
        for line in block.splitlines():
            if match := FIELD.match(line):
                fields[match[1]] = ast.literal_eval(line[match.end() - 1 :])
        if fields.get("msgid"):
            texts.append(fields)
    return texts


def translate(catalogue: gettext.NullTranslations, entry: dict[str, str], number: int) -> str:
    """Return what ``catalogue`` has for the entry; the English text, where it has none."""
    context, text = entry.get("msgctxt"), entry["msgid"]
    if plural := entry.get("msgid_plural"):
        if context:
            return catalogue.npgettext(context, text, plural, number)
        return catalogue.ngettext(text, plural, number)
    return catalogue.pgettext(context, text) if context else catalogue.gettext(text)


def forms(entry: dict[str, str]) -> Iterator[tuple[int, str, str]]:
    """Yield a number, the English text and the German one for each form of the entry."""
    if "msgid_plural" in entry:
        yield 1, entry["msgid"], entry["msgstr[0]"]
        yield 2, entry["msgid_plural"], entry["msgstr[1]"]
    else:
        yield 1, entry["msgid"], entry["msgstr"]


def texts_of_code(source: str) -> set[tuple[str, str]]:
    """Return the context, empty if there is none, and the text of every marked text of a Python module."""
    texts = set()
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        literals = [argument.value if isinstance(argument, ast.Constant) else None for argument in call.args]
        if name in PLAIN and literals and isinstance(literals[0], str):
            texts.add(("", literals[0]))
        elif name in WITH_CONTEXT and isinstance(literals[0], str) and isinstance(literals[1], str):
            texts.add((literals[0], literals[1]))
    return texts


def texts_of_template(source: str) -> set[tuple[str, str]]:
    """Return the context, empty if there is none, and the text of every marked text of a template."""
    texts, code = set(), templatize(source)
    for call in CALL.finditer(code):
        end, literals, more = call.end(), [], True
        while more and (match := LITERAL.match(code, end)):
            literals.append(ast.literal_eval(match[1]))
            end, more = match.end(), bool(match[2])
        with_context = call[1] in WITH_CONTEXT
        texts.add((literals[0], literals[1]) if with_context else ("", literals[0]))
    return texts


def marked_texts() -> set[tuple[str, str]]:
    """Return every text of the site that is marked for translation."""
    texts = set()
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            if not {"tests", "migrations"} & set(path.parts):
                texts |= texts_of_code(path.read_text(encoding="utf-8"))
    for path in (settings.BASE_DIR / "templates").rglob("*.*"):
        texts |= texts_of_template(path.read_text(encoding="utf-8"))
    return texts


def test_the_compiled_file_says_what_the_source_says() -> None:
    with (FOLDER / "django.mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    for entry in entries():
        for number, english, german in forms(entry):
            assert translate(catalogue, entry, number) == (german or english)


def test_every_translation_keeps_the_placeholders() -> None:
    for entry in entries():
        for _number, english, german in forms(entry):
            assert sorted(PLACEHOLDER.findall(german)) == sorted(PLACEHOLDER.findall(english)), entry


def test_texts_are_found_in_code_and_templates() -> None:
    code = (
        'a = _("One")\nb = pgettext_lazy("where", "Two")\nc = translation.ngettext("%d song", "%d songs", n)\nd = _(e)'
    )
    assert texts_of_code(code) == {("", "One"), ("where", "Two"), ("", "%d song")}
    template = (
        '{% load i18n %}{% translate "It\'s" %}{% translate "Two" context "where" %}{% include "a" with b=_("Three") %}'
        "{% blocktranslate count n=n %}{{ n }} song{% plural %}{{ n }} songs{% endblocktranslate %}"
    )
    assert texts_of_template(template) == {("", "It's"), ("where", "Two"), ("", "Three"), ("", "%(n)s song")}


def test_every_text_has_a_german_one() -> None:
    translated = {
        (entry.get("msgctxt", ""), entry["msgid"])
        for entry in entries()
        if all(german for _number, _english, german in forms(entry))
    }
    marked = marked_texts()
    assert len(marked) > 900
    assert sorted(marked - translated) == []
    assert sorted(translated - marked) == []


def test_no_text_shadows_one_of_a_library() -> None:
    """A text without a context translates the same text of Django and allauth as well, on their pages, too."""
    shadowed = []
    for library in (django, allauth):
        for path in Path(str(library.__file__)).parent.rglob("locale/de/LC_MESSAGES/django.mo"):
            with path.open("rb") as compiled:
                catalogue = gettext.GNUTranslations(compiled)
            for entry in entries():
                for number, english, german in forms(entry):
                    theirs = translate(catalogue, entry, number)
                    if theirs not in {english, german}:
                        shadowed.append((english, german, theirs))
    assert shadowed == []


@pytest.mark.django_db
def test_the_browser_and_the_footer_choose_the_language(client: Client) -> None:
    client.force_login(UserFactory())
    assert "Für dich" in client.get("/", headers={"Accept-Language": "de-AT,de;q=0.9"}).content.decode()
    assert "For you" in client.get("/", headers={"Accept-Language": "fr"}).content.decode()
    assert client.post(reverse("set_language"), {"language": "de", "next": "/taste/"}).status_code == 302
    page = client.get("/taste/").content.decode()
    assert '<html lang="de"' in page
    assert "Dein Geschmack" in page
    # Each language is called what it calls itself, or who does not read the page's would not find theirs.
    assert 'value="en" lang="en">English</button>' in page


def test_languages_are_known_to_django() -> None:
    assert [get_language_info(code)["name_local"] for code, _name in settings.LANGUAGES] == ["English", "Deutsch"]


def named_in_the_administration() -> Iterator[str]:
    """Yield what the administration calls our apps, models and fields, in the active language."""
    request = RequestFactory().get("/")
    request.user = UserFactory.build(is_staff=True, is_superuser=True)
    for model, model_admin in admin.site._registry.items():
        if model.__module__.partition(".")[0] not in APPS:
            continue
        yield from (str(name) for name in (model._meta.verbose_name, model._meta.verbose_name_plural))
        yield str(apps.get_app_config(model._meta.app_label).verbose_name)
        yield from (str(label_for_field(name, model, model_admin)) for name in model_admin.list_display)
        for shown in (model_admin, *model_admin.get_inline_instances(request)):
            own = {field.name for field in shown.model._meta.get_fields()}
            fields = flatten_fieldsets(shown.get_fieldsets(request))
            yield from (str(label_for_field(name, shown.model, shown)) for name in fields if name in own)


def test_the_administration_names_our_models_and_fields_in_german() -> None:
    with override("en"):
        english = list(named_in_the_administration())
    with override("de"):
        german = list(named_in_the_administration())
    assert len(english) == len(german) > 150
    same = {name.lower() for name, translated in zip(english, german, strict=True) if name == translated}
    assert same == SAME_IN_GERMAN
