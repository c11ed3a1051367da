"""The second language: compiled as written, its placeholders whole, and shown to who asks for it."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import get_language_info

from feedback.tests.factories import UserFactory

FOLDER = Path(settings.LOCALE_PATHS[0]) / "de" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]|%%")
FIELD = re.compile(r'^(msgid_plural|msgid|msgstr(?:\[\d\])?) "')


def entries() -> list[dict[str, str]]:
    """Return the fields of every entry of the .po file."""
    found = []
    for block in (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n")[1:]:
        fields: dict[str, str] = {}
        for line in block.splitlines():
            if match := FIELD.match(line):
                fields[match[1]] = ast.literal_eval(line[match.end() - 1 :])
        if fields.get("msgid"):
            found.append(fields)
    return found


def test_the_compiled_file_says_what_the_source_says() -> None:
    with (FOLDER / "django.mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    for entry in entries():
        if "msgid_plural" in entry:
            for number, form in ((1, "msgstr[0]"), (2, "msgstr[1]")):
                said = catalogue.ngettext(entry["msgid"], entry["msgid_plural"], number)
                assert said == (entry[form] or (entry["msgid"] if number == 1 else entry["msgid_plural"]))
        else:
            assert catalogue.gettext(entry["msgid"]) == (entry["msgstr"] or entry["msgid"])


def test_every_translation_keeps_the_placeholders() -> None:
    for entry in entries():
        for form, text in entry.items():
            if form.startswith("msgstr") and text:
                source = entry["msgid_plural"] if form == "msgstr[1]" else entry["msgid"]
                assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source)), entry


def test_nearly_all_is_translated() -> None:
    done = [entry for entry in entries() if all(text for form, text in entry.items() if form.startswith("msgstr"))]
    assert len(done) > 0.95 * len(entries())


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
