"""Machines that share a model store: a real S3 server on 127.0.0.1, a model folder for each machine, one database."""

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3.session
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from accounts.models import User
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from jobs.models import Job
from jobs.services import enqueue
from jobs.tests.helpers import run_waiting
from recommender.lifecycle import loading, model_store, s3
from recommender.lifecycle.loading import Loader, UnusableModelError, model_path
from recommender.lifecycle.model_store import fetch, open_store, publish_missing, stored_directories
from recommender.lifecycle.object_store import StoreError, UnusableCopyError
from recommender.lifecycle.training import retrain
from recommender.lifecycle.versions import EVAL_SUFFIX, activate, active_model, forget_loaded
from recommender.models import Experiment, ModelVersion
from recommender.operators.reports import with_file
from recommender.pages.feed import recommend_feed
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db


class Bucket:
    """What is in the store, seen from outside."""

    def __init__(self, address: str) -> None:
        self.name = f"models-{uuid4().hex}"
        self.client: Any = boto3.session.Session().client("s3", endpoint_url=address)
        self.client.create_bucket(Bucket=self.name)

    def every_key(self) -> list[str]:
        objects = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [entry["Key"] for entry in objects]

    def read(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def folders(self) -> set[str]:
        return {key.split("/")[1] for key in self.every_key() if key.startswith("site/")}

    def array(self, version: ModelVersion) -> str:
        """Return the key of one of the version's larger files."""
        return f"site/{version.directory}/catalogue.features.npy"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Return the address of an S3 server."""
    # It would write a line for each file.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    logging.getLogger("werkzeug").setLevel(logging.NOTSET)


def go_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Let a process that has just begun find the store at ``address``."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    model_store._store_at.cache_clear()


@pytest.fixture(autouse=True)
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Bucket:
    """Let MODEL_STORE be a folder of a new bucket."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    go_to(monkeypatch, server)
    bucket = Bucket(server)
    settings.MODEL_STORE = f"s3://{bucket.name}/site"
    return bucket


@pytest.fixture
def machine(tmp_path: Path, settings: Settings) -> Callable[[str], Path]:
    """Go to the machine of that name, in a process that has just begun; its models' folder is returned."""

    def go(name: str) -> Path:
        settings.MODEL_DIR = tmp_path / name
        forget_loaded()
        return tmp_path / name

    go("first")
    return go


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return an address at which nothing answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def fit() -> ModelVersion:
    version = retrain(force=True).version
    assert version is not None
    return version


def serving() -> ModelVersion | None:
    loaded = active_model()
    return loaded.version if loaded else None


def until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 180
    while not is_so():
        assert time.monotonic() < limit, "it did not come to be within 180 s"
        time.sleep(0.01)


def folders(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir() if entry.is_dir()} if path.is_dir() else set()


def page(user: User) -> list[tuple[int, float]]:
    feed = recommend_feed(user=user, k=10, adventure=0.0, is_recorded=False)
    assert feed is not None
    return [(item.track.pk, item.score) for item in feed.items]


def listeners(number: int = 30) -> None:
    tracks = make_catalogue()
    for listener in range(number):
        user = make_user(f"fan{listener}", pk=1000 + listener)
        for artist in (listener % 10, (listener * 7 + 3) % 10):
            for track in tracks[4 * artist : 4 * artist + 4]:
                rate(user=user, track=track, value=Rating.Value.LIKE)


class TestRetrain:
    def test_the_version_and_its_twin_are_in_the_store_file_by_file(
        self, machine: Callable[[str], Path], bucket: Bucket
    ) -> None:
        listeners()
        version = fit()
        assert "upload" in version.timings
        assert stored_directories() == {version.directory, version.directory + EVAL_SUFFIX}
        for folder in (version.directory, version.directory + EVAL_SUFFIX):
            here = {file.name: file.read_bytes() for file in (machine("first") / folder).iterdir()}
            there = {key.split("/")[-1]: bucket.read(key) for key in bucket.every_key() if key.split("/")[1] == folder}
            assert here == there

    def test_a_folder_without_manifest_is_no_version(self, bucket: Bucket) -> None:
        make_catalogue()
        version = fit()
        bucket.client.delete_object(Bucket=bucket.name, Key=f"site/{version.directory}/manifest.json")
        assert stored_directories() == set()

    def test_with_the_store_down_it_fails_and_registers_nothing(
        self, machine: Callable[[str], Path], bucket: Bucket, down: str, monkeypatch: pytest.MonkeyPatch, server: str
    ) -> None:
        make_catalogue()
        old = fit()
        go_to(monkeypatch, down)
        with pytest.raises(CommandError, match=rf"can't be reached: s3://{bucket.name}/site: Could not connect"):
            call_command("retrain", verbosity=0)
        job = enqueue(kind="retrain", subject="retrain")
        run_waiting()
        job.refresh_from_db()
        assert job.state == Job.State.FAILED
        assert "the active model stays in use, because the model store can't be reached: s3://" in job.log
        assert ModelVersion.objects.get() == old
        assert serving() == old
        # What it wrote is here until the next one.
        assert len(folders(machine("first"))) == 2
        go_to(monkeypatch, server)
        new = fit()
        assert folders(machine("first")) == {old.directory, new.directory} == bucket.folders()

    def test_what_was_left_in_the_store_is_removed_after_a_day(
        self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        others = ["site/notes.txt", "site/20260101/model", "elsewhere/20260101T000000-abcdef/x.npy"]
        left = ["site/20260101T000000-abcdef/x.npy", "site/20260101T000000-abcdef.twin/manifest.json"]
        for key in others + left:
            bucket.write(key, b"x")
        make_catalogue()
        first = fit()
        assert set(others + left) <= set(bucket.every_key())
        # The server's clock counts whole seconds.
        monkeypatch.setattr(model_store, "ORPHAN_AGE", timedelta(seconds=-2))
        second = fit()
        keys = bucket.every_key()
        assert set(others) <= set(keys)
        assert not set(left) & set(keys)
        assert stored_directories() == {first.directory, second.directory}

    def test_if_needed_asks_the_store_for_what_is_not_here(self, machine: Callable[[str], Path]) -> None:
        make_catalogue()
        version = fit()
        machine("second")
        assert retrain(if_needed=True).version is None
        assert not model_path(version).exists()

    def test_another_machine_measures_beside_the_twin_of_the_model_that_serves(
        self, machine: Callable[[str], Path], down: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listeners()
        old = fit()
        here = machine("second")
        new = retrain().version
        assert new is not None
        assert new.metrics["against_active"]["mean"] == 0.0
        assert old.directory + EVAL_SUFFIX in folders(here)
        # Without it, a worse model could take the place.
        machine("third")
        go_to(monkeypatch, down)
        with pytest.raises(StoreError, match="Could not connect"):
            retrain()

    def test_it_leaves_alone_what_is_being_fetched(self, machine: Callable[[str], Path]) -> None:
        on_its_way = machine("first") / f"{model_store.DOWNLOAD_PREFIX}x"
        on_its_way.mkdir(parents=True)
        make_catalogue()
        fit()
        assert on_its_way.is_dir()


class TestAnotherMachine:
    def test_it_serves_the_same(self, machine: Callable[[str], Path]) -> None:
        listeners(12)
        version, user = fit(), make_user()
        before = page(user)
        here = machine("second")
        assert page(user) == before
        assert folders(here) == {version.directory}
        assert model_path(version).stat().st_mode == (machine("first") / version.directory).stat().st_mode

    def test_old_versions_go_from_store_and_copies(
        self, machine: Callable[[str], Path], bucket: Bucket, settings: Settings
    ) -> None:
        settings.MODELS_KEPT = 2
        listeners()
        versions = [fit()]
        there = machine("second")
        assert serving() == versions[0]
        machine("first")
        versions += [fit(), fit()]
        kept_directories = {version.directory for version in versions[1:]}
        twins = {name + EVAL_SUFFIX for name in kept_directories}
        assert bucket.folders() == kept_directories | twins == folders(machine("first"))
        # A retrain brings a twin along.
        shutil.copytree(
            machine("first") / (versions[1].directory + EVAL_SUFFIX), there / (versions[0].directory + EVAL_SUFFIX)
        )
        machine("third")
        assert serving() == versions[2]
        machine("second")
        assert serving() == versions[2]
        assert folders(there) == {versions[2].directory}

    def test_a_damaged_object_lets_the_version_before_serve(
        self, machine: Callable[[str], Path], bucket: Bucket, caplog: pytest.LogCaptureFixture
    ) -> None:
        make_catalogue()
        old, new = fit(), fit()
        kept_by_key = {key: bucket.read(key) for key in (bucket.array(new), f"site/{new.directory}/manifest.json")}
        for damage in ("changed", "cut off", "longer", "missing", "no manifest", "a way out"):
            spoil(bucket, new, damage)
            here = machine(f"of {damage}")
            caplog.clear()
            assert serving() == old, damage
            assert (
                f"model version {new.pk} can't be used, so the previous one stays active: s3://{bucket.name}"
                in caplog.text
            )
            assert folders(here) == {old.directory}, damage
            for key, content in kept_by_key.items():
                bucket.write(key, content)
        assert not list(here.parent.glob("*evil*"))
        forget_loaded()
        assert serving() == new

    def test_a_copy_that_is_damaged_here_is_fetched_again(
        self, machine: Callable[[str], Path], bucket: Bucket, caplog: pytest.LogCaptureFixture
    ) -> None:
        make_catalogue()
        old, new = fit(), fit()
        here = machine("second")
        assert serving() == new
        file = here / new.directory / "catalogue.features.npy"
        whole = file.read_bytes()
        for damage in (lambda: file.write_bytes(whole[:-1]), file.unlink):
            damage()
            machine("second")
            assert serving() == new
            assert file.read_bytes() == whole
            assert f"fetched from the store again: {file}" in caplog.text
            caplog.clear()
        # Nothing is taken away for a copy that is no better.
        spoil(bucket, new, "no manifest")
        file.unlink()
        machine("second")
        fetch(old.directory)
        assert serving() == old
        assert new.directory in folders(here)

    def test_a_version_that_needs_no_fetching_asks_nothing_of_the_store(
        self, down: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_catalogue()
        version = fit()
        forget_loaded()
        go_to(monkeypatch, down)
        assert serving() == version

    def test_a_store_that_is_silent_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(s3, "READ_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            go_to(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
            start = time.monotonic()
            with pytest.raises(StoreError, match="Read timeout"):
                fetch("20260101T000000-abcdef")
        assert time.monotonic() - start < 60

    @pytest.mark.parametrize("name", ["../first", "..", "", "a/b"])
    def test_a_name_that_is_none_is_refused(self, name: str, machine: Callable[[str], Path]) -> None:
        machine("second").mkdir()
        with pytest.raises(UnusableCopyError, match="is no name of a version"):
            fetch(name)

    def test_what_a_killed_process_left_is_removed(self, machine: Callable[[str], Path]) -> None:
        make_catalogue()
        version = fit()
        left = machine("second") / f"{model_store.DOWNLOAD_PREFIX}{version.directory}-abcdef"
        left.mkdir(parents=True)
        (left / "catalogue.features.npy").write_bytes(b"half")
        assert serving() == version
        assert folders(machine("second")) == {version.directory}

    def test_two_processes_at_once_fetch_once(self, machine: Callable[[str], Path], settings: Settings) -> None:
        listeners(12)
        version = fit()
        here = machine("second")
        here.mkdir()
        processes = [start_fetching(version, here, settings.MODEL_STORE) for _process in range(2)]
        until(lambda: len(list(here.glob("ready-*"))) == 2)
        (here / "go").touch()
        outputs = [process.communicate(timeout=300) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], outputs
        assert sorted(out.split() for out, _errors in outputs) == [["False"], ["True"]]
        assert folders(here) == {version.directory}
        assert serving() == version


def spoil(bucket: Bucket, version: ModelVersion, damage: str) -> None:
    key, manifest = bucket.array(version), f"site/{version.directory}/manifest.json"
    content = bucket.read(key)
    if damage == "changed":
        bucket.write(key, content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "cut off":
        bucket.write(key, content[:-8])
    elif damage == "longer":
        bucket.write(key, content + b"x" * 1_000_000)
    elif damage == "missing":
        bucket.client.delete_object(Bucket=bucket.name, Key=key)
    elif damage == "no manifest":
        bucket.client.delete_object(Bucket=bucket.name, Key=manifest)
    else:
        manifest_body = json.loads(bucket.read(manifest))
        manifest_body["arrays"]["catalogue.features"]["file"] = "../../evil.npy"
        bucket.write(manifest, json.dumps(manifest_body).encode())


FETCH = """
import os, sys, time
from pathlib import Path
from django.conf import settings
import recommender.engine
from recommender.lifecycle.model_store import fetch
here = Path(settings.MODEL_DIR)
(here / f"ready-{os.getpid()}").touch()
while not (here / "go").exists():
    time.sleep(0.001)
print(fetch(os.environ["VERSION"]))
"""


def start_fetching(version: ModelVersion, folder: Path, store: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "MODEL_DIR": str(folder), "MODEL_STORE": store, "VERSION": version.directory}
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", FETCH],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestBesideTheRequests:
    @pytest.fixture
    def loader(self, machine: Callable[[str], Path]) -> Iterator[Loader]:
        make_catalogue()
        loader = Loader()
        loader.in_background = True
        yield loader
        until(lambda: not loader._loading)

    def test_the_version_before_serves_until_the_new_one_is_there(
        self, loader: Loader, machine: Callable[[str], Path]
    ) -> None:
        first = fit()
        before = loader.get(first)
        assert before is not None
        machine("second")
        second = fit()
        # The process that answers is on the first machine.
        machine("first")
        assert loader.get(second) is before
        until(lambda: loader.get(second) is not before)
        after = loader.get(second)
        assert after is not None
        assert after.version == second

    def test_a_new_machine_does_not_keep_its_first_page_waiting(
        self, loader: Loader, machine: Callable[[str], Path]
    ) -> None:
        first, second = fit(), fit()
        here = machine("second")
        assert (loader.get(second), loader.get(first)) == (None, None)
        until(lambda: loader.get(second) is not None)
        assert folders(here) == {second.directory}

    def test_with_the_store_down_the_old_one_serves_until_it_is_back(
        self,
        loader: Loader,
        machine: Callable[[str], Path],
        down: str,
        server: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(loading, "RETRY_SECONDS", 0.1)
        first = fit()
        before = loader.get(first)
        machine("second")
        second = fit()
        machine("first")
        go_to(monkeypatch, down)
        with caplog.at_level(logging.ERROR, logger="recommender.lifecycle.loading"):
            assert loader.get(second) is before
            until(lambda: bool(caplog.text))
            assert loader.get(second) is before
        assert f"model version {second.pk} can't be used, so the previous one stays active: s3://" in caplog.text
        go_to(monkeypatch, server)
        until(lambda: loader.get(second) is not before)

    def test_what_cannot_be_fetched_is_tried_less_and_less_often(
        self, loader: Loader, machine: Callable[[str], Path], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(loading, "RETRY_SECONDS", 0.01)
        version = fit()
        spoil(bucket, version, "changed")
        machine("second")
        loader.in_background = False
        waits = []
        for _try in range(3):
            assert loader.get(version) is None
            waits.append(loader._broken[version.directory][1])
            time.sleep(waits[-1] + 0.01)
        assert waits == [0.01, 0.02, 0.04]


class TestCommands:
    def run(self, *arguments: Any) -> str:
        out = StringIO()
        call_command(*arguments, stdout=out, stderr=out)
        return out.getvalue()

    def test_models_says_where_the_files_are(
        self,
        machine: Callable[[str], Path],
        settings: Settings,
        down: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        make_catalogue()
        settings.MODELS_KEPT = 2
        old, previous, active = fit(), fit(), fit()
        machine("second")
        assert serving() == active
        monkeypatch.setenv("COLUMNS", "200")
        cells = [line.split("│") for line in self.run("models", "list").splitlines() if line.startswith("│")]
        assert {int(line[1]): line[8].strip() for line in cells} == {
            old.pk: "deleted",
            previous.pk: "stored",
            active.pk: "yes",
        }
        assert with_file([old, previous, active]) == {previous.pk, active.pk}
        go_to(monkeypatch, down)
        output = self.run("models", "list")
        assert "Can't look into the model store: s3://" in output
        assert output.count("not here") == 2

    def test_activate_fetches_what_is_only_in_the_store(self, machine: Callable[[str], Path]) -> None:
        make_catalogue()
        old, _new = fit(), fit()
        machine("second")
        assert "is now active" in self.run("models", "activate", str(old.pk))
        assert serving() == old

    def test_activate_with_the_store_down(
        self,
        machine: Callable[[str], Path],
        down: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        make_catalogue()
        old, new = fit(), fit()
        go_to(monkeypatch, down)
        # The way back is open where the files are.
        assert "is now active" in self.run("models", "activate", str(old.pk))
        assert f"model version {old.pk} is on this machine but may be missing on others: s3://" in caplog.text
        machine("second")
        with pytest.raises(CommandError, match=rf"Version {new.pk} can't be activated: s3://"):
            self.run("models", "activate", str(new.pk))
        assert ModelVersion.objects.get(active_slot=True) == old

    def test_starting_an_experiment_fetches_its_versions(
        self, machine: Callable[[str], Path], down: str, server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_catalogue()
        old, new = fit(), fit()
        here = machine("second")
        self.run("experiment", "create", "Older", "--arm", "control", "--arm", "old", f"version={old.pk}")
        experiment = Experiment.objects.get()
        go_to(monkeypatch, down)
        with pytest.raises(CommandError, match=rf"Version {old.pk} can't be fetched from the model store: s3://"):
            self.run("experiment", "start", str(experiment.pk))
        experiment.refresh_from_db()
        assert experiment.state == Experiment.State.DRAFT
        go_to(monkeypatch, server)
        assert "is now running" in self.run("experiment", "start", str(experiment.pk))
        assert folders(here) == {old.directory}
        assert serving() == new

    def test_a_version_from_before_the_store_comes_into_it(
        self, machine: Callable[[str], Path], settings: Settings
    ) -> None:
        make_catalogue()
        store, settings.MODEL_STORE = settings.MODEL_STORE, ""
        version = fit()
        settings.MODEL_STORE = store
        assert stored_directories() == set()
        self.run("models", "activate", str(version.pk))
        assert stored_directories() == {version.directory}
        machine("second")
        assert serving() == version


@pytest.mark.django_db(transaction=True)
class TestBackup:
    @pytest.fixture(autouse=True)
    def uploads(self, tmp_path: Path, settings: Settings) -> None:
        needed = {"postgresql": ("pg_dump", "psql"), "mysql": ("mariadb-dump", "mariadb")}.get(connection.vendor, ())
        if missing := [name for name in needed if shutil.which(name) is None]:
            pytest.skip(f"{', '.join(missing)} is not on this machine")
        settings.VAR_DIR = tmp_path / "var"

    def test_the_model_that_serves_is_in_it(self, machine: Callable[[str], Path], tmp_path: Path) -> None:
        listeners()
        old, new = fit(), fit()
        machine("second")
        call_command("backup", tmp_path / "site.zip", verbosity=0)
        with zipfile.ZipFile(tmp_path / "site.zip") as archive:
            inside = {name.split("/")[1] for name in archive.namelist() if name.startswith("models/")}
        assert inside == {new.directory, new.directory + EVAL_SUFFIX}
        assert old.directory not in inside

    def test_with_the_store_down_it_says_that_the_model_is_missing(
        self, machine: Callable[[str], Path], tmp_path: Path, down: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_catalogue()
        fit()
        machine("second")
        go_to(monkeypatch, down)
        errors = StringIO()
        call_command("backup", tmp_path / "site.zip", verbosity=0, stderr=errors)
        assert "The files of the active model are missing" in errors.getvalue()

    def test_what_is_restored_is_put_into_the_store(
        self,
        machine: Callable[[str], Path],
        bucket: Bucket,
        tmp_path: Path,
        down: str,
        server: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        make_catalogue()
        version = fit()
        call_command("backup", tmp_path / "site.zip", verbosity=0)
        for key in bucket.every_key():
            bucket.client.delete_object(Bucket=bucket.name, Key=key)
        shutil.rmtree(machine("first"))
        go_to(monkeypatch, down)
        errors = StringIO()
        call_command("restore", tmp_path / "site.zip", overwrite=True, stdout=StringIO(), stderr=errors)
        assert "The models couldn't be copied to the model store (s3://" in errors.getvalue()
        go_to(monkeypatch, server)
        call_command("restore", tmp_path / "site.zip", overwrite=True, verbosity=0)
        assert stored_directories() == {version.directory}
        machine("second")
        assert serving() == version


def test_without_the_setting_there_is_no_store(
    settings: Settings, machine: Callable[[str], Path], bucket: Bucket
) -> None:
    settings.MODEL_STORE = ""
    make_catalogue()
    first, second = fit(), fit()
    assert open_store() is None
    assert not fetch("20260101T000000-abcdef")
    publish_missing([first.directory])
    assert stored_directories() == set()
    assert "upload" not in second.timings
    assert bucket.every_key() == []
    activate(version=first)
    machine("second")
    assert active_model() is None


def test_an_address_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    go_to(monkeypatch, "storage")
    with pytest.raises(StoreError, match="Invalid endpoint"):
        fetch("20260101T000000-abcdef")


def test_a_bucket_that_is_not_there_is_told(settings: Settings) -> None:
    settings.MODEL_STORE = "s3://no-such-bucket"
    make_catalogue()
    with pytest.raises(StoreError, match=r"s3://no-such-bucket: .*NoSuchBucket"):
        retrain()
    with pytest.raises(UnusableModelError):
        loading.ensure_local(ModelVersion(directory="20260101T000000-abcdef"))
