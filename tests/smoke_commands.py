"""Commands at smoke scale, as a user starts them."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SMOKE = ("flying_shapes", "--scale", "smoke")
STATIC = ("static_shapes", "--scale", "smoke", "--updates", "40")


def start(environment, program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", f"experiments.{program}", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def read(path):
    return json.loads(path.read_text())
