"""The periodic retrain as work in the background."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from jobs.registry import Kind

if TYPE_CHECKING:
    from jobs.running import Run


def _every() -> timedelta | None:
    return timedelta(hours=settings.RETRAIN_HOURS) if settings.RETRAIN_HOURS else None


def _retrain(run: "Run") -> str:
    # Here, so that the web server starts without the libraries that fit.
    from jobs.running import JobFailedError
    from jobs.services import schedule_subject
    from recommender.object_store import StoreError
    from recommender.training import EmptyCatalogueError, RetrainBusyError, retrain

    steps: list[str] = []

    def say(step: str, share: float) -> None:
        if not steps or steps[-1] != step:
            steps.append(step)
            run.log(step)
        run.report(step, share)

    # Asked for by hand it is run even if nothing changed; the schedule's has nothing to do then.
    is_scheduled = run.job.subject == schedule_subject(RETRAIN.name)
    try:
        result = retrain(if_needed=is_scheduled, say=say)
    except RetrainBusyError:
        return "another retrain is running: nothing done"
    except EmptyCatalogueError as error:
        if is_scheduled:
            return "there are no songs yet: nothing done"
        raise JobFailedError("there are no songs yet") from error
    except StoreError as error:
        raise JobFailedError(f"the model that served goes on, for the store cannot be used: {error}") from error
    if result.version is None:
        return "nothing changed since the last retrain: nothing done"
    fate = "it serves" if result.is_serving else "it measures worse than the one that serves, which goes on serving"
    return f"model {result.version.pk}: {fate}"


RETRAIN = Kind(name="retrain", label=_("Retrain"), handler=_retrain, every=_every, is_startable=True)
