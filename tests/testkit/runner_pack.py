"""A copy of the fixture pack that a test may change at will, and the runner on it."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path

from lab.stackstorm import runner

FIXTURE_PACK = Path(__file__).parents[1] / "fixtures" / "runner_pack"


class PackCopy:
    """A pack in a folder of the test's own."""

    def __init__(self, folder):
        self.folder = folder
        self.datastore = folder.parent / "datastore.sqlite"
        shutil.copytree(FIXTURE_PACK, folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))

    def workflow(self, tasks, name="flow", head="", output=""):
        """Add a workflow of these tasks and its action, with the parameter ``a``; gives the action's reference."""
        indented = textwrap.indent(textwrap.dedent(tasks), "  ")
        parts = ("version: '1.0'", "input: [a]", head, "tasks:", indented, textwrap.dedent(output))
        (self.folder / "workflows" / f"{name}.yaml").write_text("\n".join(parts))
        (self.folder / "actions" / f"{name}.yaml").write_text(
            f"{{name: {name}, runner_type: orquesta, entry_point: workflows/{name}.yaml, description: A test.,\n"
            "enabled: true, parameters: {a: {type: string, description: Anything.}}}\n"
        )
        return f"runner_pack.{name}"

    def replace(self, path, old, new):
        """Change a file of the pack; the old text has to be there."""
        text = (self.folder / path).read_text()
        assert old in text
        (self.folder / path).write_text(text.replace(old, new))

    def start(self, action, parameters=None, **options):
        """Start an action of this pack, on this test's datastore."""
        options.setdefault("datastore", self.datastore)
        return runner.start(action, parameters, pack=self.folder, python=Path(sys.executable), **options)

    def run(self, action, parameters=None, **options):
        """Run an action of this pack to its end."""
        with self.start(action, parameters, **options) as running:
            return running.wait(60)
