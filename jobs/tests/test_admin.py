"""Watching, stopping and running again from the administration."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from jobs import services
from jobs.models import Job
from jobs.tests.conftest import Register
from jobs.tests.helpers import run_waiting

User = get_user_model()
pytestmark = pytest.mark.django_db
LIST = "/admin/jobs/job/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "secret"))
    return client


def test_what_can_be_started_is_and_its_page_follows_it(operator: Client, kind: Register) -> None:
    kind(lambda _run: "counted <to> three", is_startable=True)
    assert "Run now: Try" in operator.get(LIST).content.decode()
    answer = operator.post(f"{LIST}start/try/")
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{job.pk}/change/")
    assert (job.user, job.subject) == (User.objects.get(), "try")
    shown = operator.get(answer["Location"])
    assert shown["Refresh"] == "3"
    assert f'action="{LIST}{job.pk}/stop/"' in shown.content.decode()
    run_waiting()
    shown = operator.get(answer["Location"])
    assert "Refresh" not in shown
    page = shown.content.decode()
    assert "counted &lt;to&gt; three" in page
    assert f'action="{LIST}{job.pk}/again/"' in page
    assert 'value="100"' in page


def test_the_list_is_filtered_by_names_of_kinds(operator: Client, kind: Register) -> None:
    kind(lambda _run: "")
    job = services.enqueue(kind="try")
    page = operator.get(LIST).content.decode()
    assert '<a href="?kind=try">Try</a>' in " ".join(page.split())
    assert operator.get(f"{LIST}?kind=try").context["cl"].result_list.get() == job
    assert not operator.get(f"{LIST}?kind=other").context["cl"].result_list.exists()


def test_stop_and_run_again(operator: Client, kind: Register) -> None:
    kind(lambda _run: "")
    job = services.enqueue(kind="try")
    assert operator.post(f"{LIST}{job.pk}/stop/").status_code == 302
    job.refresh_from_db()
    assert job.state == Job.State.STOPPED
    again = operator.post(f"{LIST}{job.pk}/again/", follow=True)
    new = Job.objects.get(state=Job.State.WAITING)
    assert again.redirect_chain[-1][0] == f"{LIST}{new.pk}/change/"
    page = operator.post(f"{LIST}{job.pk}/stop/", follow=True).content.decode()
    assert "it has already finished" in page


def test_the_same_for_all_that_are_ticked(operator: Client, kind: Register) -> None:
    kind(lambda _run: "")
    jobs = [services.enqueue(kind="try") for _number in range(2)]
    chosen = [job.pk for job in jobs]
    operator.post(LIST, {"action": "stop_selected", "_selected_action": chosen})
    assert Job.objects.filter(state=Job.State.STOPPED).count() == 2
    operator.post(LIST, {"action": "run_selected_again", "_selected_action": chosen})
    assert Job.objects.filter(state=Job.State.WAITING).count() == 2


def test_who_may_not_may_not(client: Client, kind: Register) -> None:
    kind(lambda _run: "", is_startable=True)
    job = services.enqueue(kind="try")
    user = User.objects.create_user("looker", "looker@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_job"))
    client.force_login(user)
    assert "Start now" not in client.get(LIST).content.decode()
    for address in (f"{job.pk}/stop/", f"{job.pk}/again/", "start/try/"):
        assert client.post(LIST + address).status_code == 403
    assert "Stop" not in client.get(f"{LIST}{job.pk}/change/").content.decode()
    assert Job.objects.get().state == Job.State.WAITING


def test_only_a_post_changes_anything_and_only_what_is_there(operator: Client, kind: Register) -> None:
    kind(lambda _run: "")
    job = services.enqueue(kind="try")
    assert operator.get(f"{LIST}{job.pk}/stop/").status_code == 404
    assert operator.post(f"{LIST}999999/stop/").status_code == 404
    assert operator.post(f"{LIST}start/try/").status_code == 404
    assert operator.post(f"{LIST}start/unknown/").status_code == 404
    assert Job.objects.get().state == Job.State.WAITING


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_has_a_constant_number_of_queries(
    operator: Client, kind: Register, count: int, django_assert_num_queries: object
) -> None:
    kind(lambda _run: "")
    user = User.objects.get()
    for _number in range(count):
        services.enqueue(kind="try", user_id=user.pk)
    with django_assert_num_queries(5):  # type: ignore[operator]
        assert operator.get(LIST).status_code == 200
