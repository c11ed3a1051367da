"""Compare two or three ways of serving on listeners, and adopt the best."""

import json
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from recommender.experiments.figures import ExperimentFigures, figures_of
from recommender.experiments.services import (
    ArmPlan,
    ExperimentError,
    adopt_arm,
    create_experiment,
    reset_site_setting,
    start_experiment,
    stop_experiment,
)
from recommender.experiments.serving import setting_of, unusable_arms
from recommender.experiments.settings import SettingError, read_setting
from recommender.models import Experiment
from recommender.operators.experiments.presentation import sentences, table_of, warnings


class Command(BaseCommand):
    """``manage.py experiment create|list|show|start|stop|adopt|reset``."""

    help = "Run an experiment: serve two or three settings to different listeners, compare them, and adopt one."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="create|list|show|start|stop|adopt|reset")
        create = actions.add_parser("create", help="Create an experiment that isn't started.")
        create.add_argument("name", help="Its name.")
        create.add_argument(
            "--arm",
            nargs="+",
            action="append",
            required=True,
            metavar=("NAME", "SETTING"),
            help="An arm and what it changes, such as: bold dial=0.5 page.diversity=0.3. The first is the control.",
        )
        create.add_argument("--share", type=int, default=100, help="Percent of the listeners (default: 100).")
        create.add_argument("--days", type=int, default=28, help="Days after which it ends (default: 28).")
        create.add_argument(
            "--max-loss", type=int, default=10, help="Percent of likes that an arm may lose (default: 10)."
        )
        actions.add_parser("list", help="List all experiments, newest first.").add_argument(
            "--json", action="store_true", help="Print as JSON."
        )
        for name, text in (("show", "Show the figures."), ("start", "Start it."), ("stop", "Stop it.")):
            action = actions.add_parser(name, help=text)
            action.add_argument("experiment", type=int, help="Its number, as `experiment list` shows it.")
            action.add_argument("--json", action="store_true", help="Print as JSON.")
        adopt = actions.add_parser("adopt", help="Make an arm's setting the site's own.")
        adopt.add_argument("experiment", type=int, help="Its number, as `experiment list` shows it.")
        adopt.add_argument("arm", help="The name of the arm.")
        adopt.add_argument("--why", required=True, help="The reason, which stays in the log.")
        adopt.add_argument("--json", action="store_true", help="Print as JSON.")
        create.add_argument("--json", action="store_true", help="Print as JSON.")
        actions.add_parser("reset", help="Take back what adopted experiments changed for the whole site.")

    def handle(self, *args: Any, **options: Any) -> None:
        # Names are an operator's own words, and brackets in them no markup.
        self.console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True, markup=False)
        try:
            getattr(self, f"_{options['action']}")(options)
        except (ExperimentError, SettingError) as error:
            raise CommandError(str(error)) from error

    def _create(self, options: dict[str, Any]) -> None:
        arms = [ArmPlan(name, read_setting(" ".join(parts))) for name, *parts in options["arm"]]
        experiment = create_experiment(
            name=options["name"],
            arms=arms,
            share=options["share"],
            days=options["days"],
            max_loss=options["max_loss"],
        )
        self._say(
            options, experiment, f"Created experiment {experiment.pk}. Start it with: experiment start {experiment.pk}"
        )

    def _list(self, options: dict[str, Any]) -> None:
        experiments = list(Experiment.objects.prefetch_related("arms"))
        if options["json"]:
            self.stdout.write(json.dumps([_plain(experiment) for experiment in experiments], indent=2))
            return
        table = Table()
        for column in ("number", "name", "status", "share", "started", "ends", "arms"):
            table.add_column(column)
        for experiment in experiments:
            times = (experiment.started_at, experiment.stopped_at or experiment.ends_at)
            days = [f"{timezone.localtime(at):%Y-%m-%d}" if at else "" for at in times]
            arms = "; ".join(f"{arm.name}: {setting_of(arm).text or 'as the site'}" for arm in experiment.arms.all())
            status = experiment.get_state_display()
            table.add_row(str(experiment.pk), experiment.name, status, f"{experiment.share} %", *days, arms)
        self.console.print(table)

    def _show(self, options: dict[str, Any]) -> None:
        experiment = _experiment(options)
        figures = figures_of(experiment)
        if options["json"]:
            unusable = {arm.arm.name: arm.why for arm in unusable_arms(experiment)}
            plain = _plain(experiment) | {"unusable": unusable, "figures": figures.to_dict()}
            self.stdout.write(json.dumps(plain, indent=2))
            return
        self.console.print(_table(experiment, figures))
        for sentence in (*warnings(experiment), *sentences(figures)):
            self.console.print(sentence)

    def _start(self, options: dict[str, Any]) -> None:
        experiment = _experiment(options)
        start_experiment(experiment=experiment)
        self._say(options, experiment, f"Experiment {experiment.pk} is now running.")

    def _stop(self, options: dict[str, Any]) -> None:
        experiment = _experiment(options)
        stop_experiment(experiment=experiment)
        self._say(options, experiment, f"Stopped experiment {experiment.pk}.")

    def _adopt(self, options: dict[str, Any]) -> None:
        experiment = _experiment(options)
        arm = experiment.arms.select_related("experiment", "model_version").filter(name=options["arm"]).first()
        if arm is None:
            names = ", ".join(experiment.arms.values_list("name", flat=True))
            raise CommandError(f"Experiment {experiment.pk} has no arm {options['arm']!r}, but {names}.")
        adopt_arm(arm=arm, note=options["why"])
        experiment.refresh_from_db()
        self._say(options, experiment, f"Adopted {arm.name} for the whole site.")

    def _reset(self, _options: dict[str, Any]) -> None:
        reset_site_setting()
        self.console.print("Everything is served as delivered again.")

    def _say(self, options: dict[str, Any], experiment: Experiment, sentence: str) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(_plain(experiment), indent=2))
        else:
            self.console.print(sentence, markup=False)


def _experiment(options: dict[str, Any]) -> Experiment:
    experiment = Experiment.objects.filter(pk=options["experiment"]).first()
    if experiment is None:
        raise CommandError(f"There is no experiment {options['experiment']}. See: manage.py experiment list")
    return experiment


def _plain(experiment: Experiment) -> dict[str, Any]:
    times = {name: getattr(experiment, name) for name in ("started_at", "ends_at", "stopped_at")}
    return {
        "id": experiment.pk,
        "name": experiment.name,
        "status": experiment.state,
        "share": experiment.share,
        "days": experiment.days,
        "max_loss": experiment.max_loss,
        **{name: at.isoformat() if at else None for name, at in times.items()},
        "arms": [{"name": arm.name, "changes": setting_of(arm).text} for arm in experiment.arms.all()],
    }


def _table(experiment: Experiment, figures: ExperimentFigures) -> Table:
    table = Table(title=f"{experiment.name}: {experiment.get_state_display()}")
    table.add_column("")
    for arm in figures.arms:
        table.add_column(arm.arm.name)
    for row in table_of(figures):
        table.add_row(row.name, *(f"{cell.rate} {cell.difference}".strip() for cell in row.cells))
    return table
