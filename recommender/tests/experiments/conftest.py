"""A site with a model, listeners and an experiment."""

from collections.abc import Callable

import pytest
from django.core.management import call_command

from accounts.models import User
from catalog.models import Track
from recommender.experiments.services import ArmPlan, create_experiment
from recommender.experiments.serving import arm_number
from recommender.experiments.settings import read_setting
from recommender.models import Experiment, ModelVersion
from recommender.tests.builders import make_catalogue, make_user


@pytest.fixture
def tracks() -> list[Track]:
    return make_catalogue()


@pytest.fixture
def version(tracks: list[Track]) -> ModelVersion:
    call_command("retrain", verbosity=0)
    return ModelVersion.objects.get(active_slot=True)


def make_experiment(*settings: str, name: str = "Bolder", share: int = 100, days: int = 28) -> Experiment:
    """Create an experiment whose control changes nothing, with an arm for each setting."""
    plans = [ArmPlan(f"arm {number}", read_setting(text)) for number, text in enumerate(settings, start=1)]
    return create_experiment(name=name, arms=[ArmPlan("control", read_setting("")), *plans], share=share, days=days)


@pytest.fixture
def listener_of() -> Callable[[Experiment, int], User]:
    """Return a new listener whom the experiment's hash puts into the arm of that number."""
    made = 0

    def make(experiment: Experiment, number: int) -> User:
        nonlocal made
        while True:
            made += 1
            user = make_user(f"listener{made}")
            if arm_number(user.pk, experiment.salt, experiment.arms.count()) == number:
                return user

    return make
