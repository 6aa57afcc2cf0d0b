"""Each static check finds the defect that it is there for; the fixture pack has none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab.checks import problems, problems_of
from lab.checks.__main__ import main
from testkit.runner_pack import PackCopy

BY_DEFAULT = "    default: \"{{ action_context.get('api_user') or action_context.user }}\"\n"
ANOTHER = "  whom:\n    description: Who else.\n    type: string\n    required: true\n    position: "
METHODS_FILE = "lib/runner_pack/recovery/methods.py"
VISIT = "workflows/visit_allocations.yaml"
GREET = "actions/greet.yaml"

DEFECTS = [
    # pack.yaml and config.schema.yaml
    ("pack.yaml", "name: runner_pack", "name: [", "pack.yaml: while parsing"),
    ("pack.yaml", "version: 0.1.0", "version: '0.1'", "pack.yaml: version: '0.1' does not match"),
    ("pack.yaml", "email: nobody@example.org\n", "", "'email' is a required property"),
    ("pack.yaml", "keywords:", "key_words:", "pack.yaml: Additional properties are not allowed ('key_words'"),
    ("pack.yaml", "ref: runner_pack", "ref: runner-pack", "pack.yaml: ref: 'runner-pack' does not match"),
    ("pack.yaml", '">=3.8.0"', '"3.8"', "pack.yaml: stackstorm_version: '3.8' does not match"),
    ("config.schema.yaml", "  default: 3", "  default: three", "limits: attempts: default: 'three' is not"),
    ("config.schema.yaml", "secret: true", "hidden: true", "secret_word: Additional properties are not allowed"),
    ("config.schema.yaml", "  type: string\n  default: Hello", "  default: Hello", "greeting: type is missing"),
    ("config.schema.yaml", "  description: The word to greet with.\n", "", "greeting: description is missing"),
    # The actions' metadata
    (GREET, "enabled: true", "enable: true", "actions/greet.yaml: Additional properties are not allowed ('enable'"),
    (GREET, "name: greet\n", "name: hello\n", "its name is 'hello', not 'greet'"),
    (GREET, "enabled: true", "enabled: true\npack: other", "its pack is 'other', not 'runner_pack'"),
    (GREET, "runner_type: python-script", "runner_type: run-python", "'run-python' is not one of"),
    (GREET, "minimum: 1", "min: 1", "parameter times: Additional properties are not allowed ('min'"),
    (GREET, "type: boolean", "type: [boolean, string]", "parameter polite: type: ['boolean', 'string'] is not"),
    (GREET, "    description: How often.\n", "", "parameter times: description is missing"),
    (GREET, "log_level:\n", "log_level:\n    type: integer\n", "parameter log_level: the runner's own type"),
    (GREET, "position: 0\n", f"position: 0\n{ANOTHER}0\n", "the positions [0, 0] are not unique"),
    (GREET, "position: 0\n", f"position: 0\n{ANOTHER}2\n", "the positions [0, 2] are not unique and without a gap"),
    (GREET, "default: 1\n", "default: 1\n    position: 1\n", "times: it is optional and has a position: 'st2 run"),
    (GREET, "default: 1", "default: 0", "parameter times: default: 0 is less than the minimum"),
    (GREET, "default: warm", "default: hot", "parameter tone: default: 'hot' is not one of"),
    (GREET, "required: true", "required: true\n    default: x", "a required parameter with a default"),
    (GREET, BY_DEFAULT, "", "parameter by: an immutable parameter requires a default"),
    (GREET, "string\n    immutable", "integer\n    immutable", "an immutable template has to be of type string"),
    (GREET, "entry_point: greet.py", "entry_point: hello.py", "the entry point actions/hello.py does not exist"),
    (GREET, "entry_point: greet.py", "entry_point: count.py", "actions/greet.py: no action has it"),
    # The actions' code
    ("actions/greet.py", "class Greet(", "class Answer(", "the class Answer is in actions/answer.py already"),
    ("actions/greet.py", "class Greet(", "class Other:\n    pass\n\n\nclass Greet(", "holds 2 classes, not one"),
    ("actions/greet.py", "class Greet(", "@dataclass\nclass Greet(", "a dataclass cannot be here"),
    ("actions/greet.py", "polite=False, ", "", "run() does not take the parameter polite"),
    ("actions/greet.py", "by=None", "by=None, when=None", "run() takes when, which is no parameter"),
    ("actions/greet.py", "by=None", "by=None, **rest", "run() takes anything"),
    # The workflows
    (VISIT, "do: leave", "do: live", 'The task "live" is not defined'),
    (VISIT, "<% ctx().how %>", "<% ctx().hwo %>", 'Variable "hwo" is referenced before assignment'),
    (VISIT, "<% result().result.summary %>", "<% result(( %>", "arrive"),
    (VISIT, "runner_pack.count", "runner_pack.cuont", 'Action "runner_pack.cuont" cannot be found'),
    (VISIT, "      how: <%", "      hwo: <%", 'is missing required input "how"'),
    (VISIT, "      key: given_up", "      key: x\n      kye: y", 'has unexpected input "kye"'),
    (VISIT, "  - how: succeed\n", "  - how: succeed\n  - more: 1\n", "the input more is no parameter"),
    ("actions/visit_allocations.yaml", "  how:", "  hwo:", "the parameter hwo is no input"),
    (VISIT, "<% failed() %>", "<% not failed() %>", "the task arrive has no route for its failure"),
    (VISIT, "key: given_up", "key: <% ctx().how %> {{ ctx().how }}", "YAQL and Jinja in one string"),
    (VISIT, "input:\n      key: given_up", "input: key=given_up goal=1", "loses key of the inline"),
    # The methods
    (VISIT, "  arrive:", "  come:", "step 1 is the task come"),
    (VISIT, "action: runner_pack.answer", "action: runner_pack.hold", "the task leave with the action hold"),
    (VISIT, "do: leave", "do: noop", "has 2 first tasks, not one"),
    (VISIT, "do: leave", "do: [leave, give_up]", "is followed by leave and give_up, not by one task"),
    (METHODS_FILE, '"visit"', '"move"', "workflows/move_allocations.yaml: does not exist"),
    (METHODS_FILE, '"visit"', '"move"', "visit_allocations.yaml: SEQUENCES has no such method"),
    (METHODS_FILE, "SEQUENCES:", "OTHERS:", "SEQUENCES cannot be imported"),
]  # fmt: skip


def found(pack):
    """The problems of the copy of the fixture pack."""
    return problems(pack.folder, python=Path(sys.executable))


def test_a_right_pack_has_no_problems(pack):
    """No check complains about a pack that is right."""
    assert found(pack) == []


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """What the checks say of each pack with a defect, found by one process: its start takes longer than they do."""
    packs = []
    for path, old, new, _ in DEFECTS:
        packs.append(PackCopy(tmp_path_factory.mktemp("defects") / "runner_pack"))
        packs[-1].replace(path, old, new)
    return problems_of([pack.folder for pack in packs], python=Path(sys.executable))


@pytest.mark.parametrize("number", range(len(DEFECTS)), ids=[f"{one[0]}: {one[3]}" for one in DEFECTS])
def test_planted_defect_is_found(reported, number):
    """A defect in one file is reported with its place and cause."""
    assert DEFECTS[number][3] in "\n".join(reported[number])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda link: None, "actions/lib: is no symbolic link"),
        (lambda link: link.mkdir(), "actions/lib: is no symbolic link"),
        (lambda link: link.symlink_to(link.parents[1] / "lib"), "not to ../lib"),
    ],
)
def test_link_that_is_missing_or_absolute_is_found(pack, make, words):
    """Without its relative link the library would not be found after an installation."""
    link = pack.folder / "actions" / "lib"
    link.unlink()
    make(link)

    assert words in "\n".join(found(pack))


def test_workflow_without_an_action_is_found(pack):
    """A workflow that no action starts is a mistake."""
    (pack.folder / "actions" / "visit_allocations.yaml").unlink()

    assert "workflows/visit_allocations.yaml: no action has it as its entry point" in found(pack)


def test_example_that_breaks_the_schema_is_found(pack):
    """The example of a configuration has to be right, and has no item that the schema does not know."""
    (pack.folder / "runner_pack.yaml.example").write_text("greeting: Hi\nlimit: 3\n")

    assert "('limit' was unexpected)" in "\n".join(found(pack))


def test_command_line_prints_the_problems(pack, capsys):
    """Each problem is a line, and the exit code is 1."""
    pack.replace(GREET, "enabled: true\n", "")

    assert main([str(pack.folder)]) == 1
    assert capsys.readouterr().out == "actions/greet.yaml: enabled: 'enabled' is a required property\n"
