"""The units and the container file call commands that are there, with options that they have."""

import json
import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

DEPLOY = Path(settings.BASE_DIR) / "deploy"


def calls() -> dict[str, list[str]]:
    """Return each command line that calls ``manage.py``, from "manage.py" on, by where it stands."""
    commands = {}
    for path in sorted(DEPLOY.glob("*.service")):
        for line in re.findall(r"^ExecStart=(.+)$", path.read_text(), re.MULTILINE):
            commands[path.name] = shlex.split(line)[1:]
    containers = ((DEPLOY / "Dockerfile", r"^CMD (\[.+\])$"), (DEPLOY.parent / "compose.yaml", r"command: (\[.+\])"))
    for path, pattern in containers:
        for line in re.findall(pattern, path.read_text(), re.MULTILINE):
            commands[f"{path.name}: {line}"] = json.loads(line)
    return commands


def test_nothing_is_left_out() -> None:
    names = ["Dockerfile", "compose.yaml", "compose.yaml", "earworm-retrain.service", "earworm-web.service"]
    assert sorted(name.split(":")[0] for name in calls()) == [*names, "earworm-worker.service"]


@pytest.mark.parametrize("path", calls())
def test_the_command_is_there(path: str) -> None:
    program, name, *arguments = calls()[path]
    assert program == ("manage.py" if path.endswith(".service") else "earworm")
    command = load_command_class(get_commands()[name], name)
    parsed = command.create_parser("manage.py", name).parse_args(arguments)
    assert parsed.verbosity == 1


@pytest.mark.parametrize(("name", "prefix"), [("nginx.conf", ""), ("nginx-below-a-path.conf", "/earworm")])
def test_nginx_logs_no_address_that_holds_a_secret(name: str, prefix: str) -> None:
    text = (DEPLOY / name).read_text()
    (pattern,) = re.findall(r"location ~ (\S+) \{\n\s*access_log off;\n\s*error_log /dev/null crit;", text)
    hidden = ["/rest/ping.view", "/2.0", "/2.0/", "/audioscrobbler/np_1.2", "/week/feed/x", "/week/email/x"]
    assert [path for path in hidden if not re.search(pattern, prefix + path)] == []
    assert [
        path for path in ("/", "/1/submit-listens", "/2.0x", "/songs/1/file") if re.search(pattern, prefix + path)
    ] == []
