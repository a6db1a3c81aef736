"""Runs of ``vae_mnist`` and ``iwae_mnist`` at smoke scale, and the files they leave."""

import json

from experiments.run import main


def run(folder, experiment="vae_mnist", *options):
    words = ["--scale", "smoke", "--device", "cpu", "--run-dir", str(folder), *options]
    return main([experiment, *words])


def read(folder, name="summary.json"):
    return json.loads((folder / name).read_text())
