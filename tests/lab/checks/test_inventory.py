"""The README's tables of what is in the pack."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab.checks import problems, write_readme
from lab.checks.inventory import BEGIN, END, NoMarkersError, render, updated
from lab.checks.subject import Subject

README = f"# A pack\n\n{BEGIN}\n{END}\n\nMore text.\n"


def action(name, runner_type="python-script", **parameters):
    """Build the metadata of an action."""
    return {"name": name, "runner_type": runner_type, "description": f"Does {name}.", "parameters": parameters}


def subject(*actions, methods=None, **kinds):
    """Build what is checked, without a folder: actions, and other kinds by the names of Subject."""
    documents = {kind: {str(place): one for place, one in enumerate(found)} for kind, found in kinds.items()}
    by_path = {str(place): one for place, one in enumerate(actions)}
    return Subject(Path(), {}, {}, by_path, {}, methods or {}, **documents)


def test_each_kind_has_a_table_and_each_entry_a_line():
    """Workflows, triggers, rules, sensors and chat commands are found by what people call them."""
    text = render(
        subject(
            action("mend", "orquesta"),
            triggers=[{"name": "broken", "description": "Something\n  broke."}],
            rules=[{"name": "on_broken", "enabled": True, "description": "Mend it."}],
            sensors=[{"class_name": "LogSensor", "description": "Reads."}],
            aliases=[{"formats": [{"display": "mend {{ host }}", "representation": []}], "description": "Type it."}],
        )
    )

    assert text.split("\n\n") == [
        "| Workflow | Description |\n|---|---|\n| `mend` | Does mend. |",
        "| Trigger | Description |\n|---|---|\n| `broken` | Something broke. |",
        "| Rule | Description |\n|---|---|\n| `on_broken` | Mend it. |",
        "| Sensor | Description |\n|---|---|\n| `LogSensor` | Reads. |",
        "| Chat command | Description |\n|---|---|\n| `mend HOST` | Type it. |\n",
    ]


def test_steps_come_in_their_order_and_apart_from_other_actions():
    """The longest method's order counts; an action that needs a recovery is a step of some other sequence."""
    methods = {"short": [["close", "close"]], "long": [["wait", "wait"], ["close", "close"]]}
    undo = action("undo", recovery_id={"required": True})
    text = render(subject(action("close"), action("look"), undo, action("wait"), methods=methods))

    single, steps = text.split("\n\n")
    assert single.splitlines()[2:] == ["| `look` | Does look. |"]
    assert [line.split("`")[1] for line in steps.splitlines()[2:]] == ["wait", "close", "undo"]


def test_a_disabled_rule_is_marked():
    """Readers must not expect it to act."""
    rules = [{"name": "mail", "enabled": False, "description": "An example."}]

    assert "| `mail` (disabled) | An example. |" in render(subject(rules=rules))


def test_a_pipe_does_not_split_a_cell():
    """Markdown needs it escaped, in code as well."""
    aliases = [{"formats": ["mend {{ how }} [a|b]"], "description": "One | two."}]

    assert "| `mend HOW [a\\|b]` | One \\| two. |" in render(subject(aliases=aliases))


def test_only_the_part_between_the_markers_is_replaced():
    """A second update changes nothing."""
    pack = subject(action("look"))
    once = updated(README, pack)

    assert once == f"# A pack\n\n{BEGIN}\n\n{render(pack)}\n{END}\n\nMore text.\n"
    assert updated(once, pack) == once


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}\n", README + README])
def test_a_readme_needs_one_pair_of_markers(text):
    """Otherwise there is no single place for the tables."""
    with pytest.raises(NoMarkersError, match="exactly one pair"):
        updated(text, subject())


def test_an_outdated_readme_is_a_problem_until_it_is_written(pack):
    """The problem names the command, and the command solves it."""
    (pack.folder / "README.md").write_text(README)
    python = Path(sys.executable)
    before = problems(pack.folder, python)
    write_readme(pack.folder, python)

    assert before == ["README.md: its tables differ from the metadata; run python3 -m lab.checks --write-readme"]
    assert problems(pack.folder, python) == []
    assert "| `greet` |" in (pack.folder / "README.md").read_text()


def test_a_readme_without_markers_is_a_problem(pack):
    """The tables cannot be lost unnoticed."""
    (pack.folder / "README.md").write_text("# A pack\n")

    assert "README.md: it needs exactly one pair" in "\n".join(problems(pack.folder, Path(sys.executable)))
