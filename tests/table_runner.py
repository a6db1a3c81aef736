"""Stands for the trainings of a table."""

import json
import shutil

from smoke_commands import read

from experiments.processes import Outcome
from experiments.sweeping.run_points import run_name
from experiments.sweeping.run_state import run_state

SMALL = ["--scale", "smoke", "--seeds", "2", "--sequences", "4", "--output", "results"]
SHAPES = ["flying_shapes", *SMALL]


class Runner:
    """Stands for the trainings: copies a run and gives it the settings and scores of its own."""

    def __init__(self, template):
        self.template = template
        self.begun = []
        self.otherwise = {}

    def __call__(self, points, options, *, time_is_up):
        return [self.run(point) for point in points if not time_is_up()]

    def run(self, point):
        name = run_name(point)
        if point.settings.components in self.otherwise:
            return Outcome(name, self.otherwise[point.settings.components])
        if run_state(point.settings, point.directory) == "new":
            self.begun.append(name)
            shutil.copytree(self.template, point.directory.path)
            config = {**read(point.directory.config), "settings": point.settings.to_dict()}
            point.directory.config.write_text(json.dumps(config))
            seed = point.settings.training.seed
            score = {"test.ami": point.settings.components / 10 + seed / 100, "seed": seed}
            summary = {**read(point.directory.summary), **score}
            point.directory.summary.write_text(json.dumps(summary))
        return Outcome(name, "finished")


def rows_of(folder):
    rows = read(folder / "flying_shapes.json")["rows"]
    return {(row["section"], row["setting"], row["metric"]): row for row in rows}
