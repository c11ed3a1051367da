"""The periodic retrain as work in the background."""

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from jobs.registry import Kind, Run


def _every() -> timedelta | None:
    return timedelta(hours=settings.RETRAIN_HOURS) if settings.RETRAIN_HOURS else None


def _retrain(run: Run) -> str:
    # Imported here, so that the web server starts without the libraries used for fitting.
    from jobs.running import JobFailedError
    from jobs.services import schedule_subject
    from recommender.lifecycle.object_store import StoreError
    from recommender.lifecycle.training import EmptyCatalogueError, RetrainBusyError, retrain

    steps: list[str] = []

    def report_progress(step: str, share: float) -> None:
        if not steps or steps[-1] != step:
            steps.append(step)
            run.log(step)
        run.report(step, share)

    # A retrain requested by hand runs even if nothing changed; a scheduled one does not.
    is_scheduled = run.job.subject == schedule_subject(RETRAIN.name)
    try:
        result = retrain(if_needed=is_scheduled, report_progress=report_progress)
    except RetrainBusyError:
        return "skipped, because another retraining is running"
    except EmptyCatalogueError as error:
        if is_scheduled:
            return "skipped, because there are no songs yet"
        raise JobFailedError("there are no songs yet") from error
    except StoreError as error:
        raise JobFailedError(
            f"the active model stays in use, because the model store can't be reached: {error}"
        ) from error
    if result.version is None:
        return "skipped, because nothing has changed since the last retraining"
    fate = "it is now active" if result.is_serving else "it scored worse than the active one, which stays active"
    return f"model {result.version.pk}: {fate}"


RETRAIN = Kind(name="retrain", label=_("Retrain"), handler=_retrain, every=_every, is_startable=True)
