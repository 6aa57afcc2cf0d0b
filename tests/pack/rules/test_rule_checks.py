"""The static checks of triggers, rules and sensors: each finds the defect that it is there for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from lab.checks import problems
from lab.environments import ensure
from lab.stackstorm.runner import ROOT

TRIGGER, RULE = "triggers/provider_creation_failed.yaml", "rules/on_provider_creation_failed.yaml"
SENSOR, CODE = "sensors/log_sensor.yaml", "sensors/log_sensor.py"
WEBHOOK, TELL = "rules/on_alert_webhook.yaml", "rules/notify_people.yaml"
FOLDERS = ("actions", "workflows", "triggers", "rules", "sensors", "aliases")


# (file, text in it, what is put in its place, what is told then)
DEFECTS = [
    (TRIGGER, "name: provider_creation_failed", "name: other", "its name is 'other', not 'provider_creation_failed'"),
    (TRIGGER, "pack: placement_recovery", "pack: other", "its pack is 'other'"),
    (TRIGGER, "payload_schema:", "payload:", "Additional properties are not allowed ('payload'"),
    (TRIGGER, "  type: object\n", "  type: object\n  required: [host]\n", "payload_schema: required: ['host']"),
    (TRIGGER, "  type: object\n", "", "its type is not object"),
    (TRIGGER, "minLength: 1", "min: 1", "payload_schema: properties.host: Additional properties"),
    (TRIGGER, "      maxLength: 36\n      required: true\n", "      maxLength: 36\n", "is not required: true"),
    (RULE, "enabled: true", "enable: true", "Additional properties are not allowed ('enable'"),
    (RULE, "name: on_", "name: at_", "its name is 'at_provider_creation_failed', not 'on_provider_creation_failed'"),
    (RULE, "type: placement_recovery.p", "type: placement_recovery.q", "is neither in triggers/ nor a stock one"),
    (RULE, "trigger.host:", "trigger.hots:", "criterion trigger.hots: the payload of placement_recovery."),
    (RULE, "trigger.host:", "host:", "criterion host: does not begin with trigger."),
    (RULE, "type: regex", "type: matches", "the operator 'matches' is not one"),
    (RULE, '    pattern: "^[A-Za-z0-9_.:-]+$"\n', "", "has no pattern, which StackStorm refuses"),
    (RULE, "ref: placement_recovery.recover_host", "ref: placement_recovery.recover", "does not exist"),
    (RULE, '    host: "{{ trigger.host }}"\n', "", "is not given host"),
    (RULE, "automatic: true", "automatc: true", "takes no automatc"),
    (RULE, "automatic: true", "automatic: soon", "action: automatic: 'soon' is not of type 'boolean'"),
    (RULE, "{{ trigger.host }}", "{{ trigger.hots }}", "has no field hots"),
    (RULE, "{{ trigger.host }}", "{{ payload.host }}", "nobody gives it payload"),
    (RULE, "{{ trigger.host }}", "{{ trigger.host", "unexpected end of template"),
    (WEBHOOK, "url: placement", "uri: placement", "trigger: Additional properties are not allowed ('uri'"),
    (WEBHOOK, "to_complex", "to_complx", "No filter named 'to_complx'"),
    (TELL, "    to: operators@example.org\n", "", "core.sendmail is not given to"),
    (SENSOR, "poll_interval: 5", "poll_interval: 2", "2 is less than the minimum of 4"),
    (SENSOR, "poll_interval: 5\n", "", "LogSensor is no Sensor, and its metadata has no poll_interval"),
    (SENSOR, "class_name: LogSensor", "class_name: LogsSensor", "holds LogSensor, not LogsSensor alone"),
    (SENSOR, "entry_point: log_sensor.py", "entry_point: sensor.py", "sensors/sensor.py does not exist"),
    (SENSOR, "entry_point: log_sensor.py", "entry_point: sensor.py", "log_sensor.py: no sensor has it"),
    (SENSOR, "enabled: true", "trigger_types: [{name: provider_creation_failed}]", "is in triggers/ already"),
    (CODE, "def poll(", "def pull(", "LogSensor has no method poll"),
    (CODE, "def cleanup(", "def clean(", "LogSensor has no method cleanup"),
    (CODE, "from st2reactor", "import openstack\nfrom st2reactor", "imports openstack, which a sensor must not"),
]  # fmt: skip

# One process for all defects: importing the checks takes longer than they do.
ALL = """
import json, sys
from pathlib import Path
from lab.checks import rules, sensors, suite, triggers
pack, found = Path(sys.argv[1]), []
checks = [check for check in suite.CHECKS if check.__module__.split(".")[-1] in ("rules", "sensors", "triggers")]
for path, old, new, _ in json.load(sys.stdin):
    text = (pack / path).read_text()
    assert old in text, (path, old)
    (pack / path).write_text(text.replace(old, new, 1))
    subject = suite.read(pack, {})
    found.append("\\n".join(problem for check in checks for problem in check(subject)))
    (pack / path).write_text(text)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """A copy of this pack, with links to what no test changes."""
    pack = tmp_path_factory.mktemp("packs") / "placement_recovery"
    pack.mkdir()
    for name in ("pack.yaml", "config.schema.yaml", "lib"):
        (pack / name).symlink_to(ROOT / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, pack / name, symlinks=True)
    return pack


@pytest.fixture(scope="module")
def told(pack):
    """What the checks tell of each defect."""
    python = str(ensure("orquesta") / "bin" / "python")
    done = subprocess.run(
        [python, "-c", ALL, str(pack)], input=json.dumps(DEFECTS), env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(DEFECTS)), ids=[f"{one[0]}: {one[3]}" for one in DEFECTS])
def test_planted_defect_is_found(told, number):
    """With its place and cause."""
    assert DEFECTS[number][3] in told[number]


def test_this_pack_has_no_problems(pack):
    """As it is; and the checks are among those of `make lint`."""
    assert found(pack) == []


def test_library_that_is_not_linked_is_found(pack):
    """A sensor finds nothing but what lies in sensors/."""
    (pack / "sensors" / "placement_recovery").unlink()

    assert "sensors/placement_recovery: is no symbolic link to ../lib/placement_recovery" in found(pack)


def found(pack):
    """What all checks tell of triggers, rules and sensors."""
    everything = problems(pack, python=sys.executable)
    return [one for one in everything if one.startswith(("triggers/", "rules/", "sensors/"))]
