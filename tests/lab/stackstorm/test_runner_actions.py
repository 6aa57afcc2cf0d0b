"""A single Python action: how its return becomes a result, what parameters it is given, and how it is killed."""

from __future__ import annotations

import pytest

from lab.stackstorm import runner
from lab.stackstorm.pool import Pool


@pytest.mark.parametrize(
    ("how", "status", "result"),
    [
        ("succeed", "succeeded", {"text": "x"}),
        ("fail", "failed", {"text": "x"}),
        ("plain", "succeeded", {"text": "x"}),
        ("raise", "failed", "None"),
    ],
)
def test_return_forms(pack, how, status, result):
    """A status and a result, a plain result, and an exception, which loses the result as in StackStorm."""
    execution = pack.run("runner_pack.answer", {"how": how, "text": "x"})

    assert (execution.status, execution.result["result"]) == (status, result)


def test_exception_shows_its_trace_on_stderr(pack):
    """What an action raises is found in the result's stderr."""
    result = pack.run("runner_pack.answer", {"how": "raise", "text": "no such host"}).result

    assert result["exit_code"] == 1
    assert result["stderr"].endswith("RuntimeError: no such host\n")


def test_status_that_is_no_boolean_fails(pack):
    """A pair whose first item is not True or False is an error, and says so."""
    execution = pack.run("runner_pack.answer", {"how": "bad_status"})

    assert execution.status == "failed"
    assert "must either be True or False" in execution.result["error"]


def test_result_that_is_no_json_becomes_its_text(pack):
    """A result that cannot be written as JSON does not break the action."""
    assert pack.run("runner_pack.answer", {"how": "object"}).output == "<class 'object'>"


def test_strings_are_cast_by_the_metadata(pack):
    """Values that a command line can only give as text arrive with the type of the metadata."""
    result = pack.run("runner_pack.greet", {"name": "compute-0", "times": "3", "polite": "true"}).output

    assert (result["times"], result["polite"]) == (3, True)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "'name' is a required property"),
        ({"name": "x", "nmae": "y"}, "('nmae' was unexpected)"),
        ({"name": "x", "times": "often"}, "cannot be made a integer"),
        ({"name": "x", "times": 0}, "0 is less than the minimum of 1"),
        ({"name": "x", "tone": "loud"}, "'loud' is not one of ['warm', 'cold']"),
        ({"name": "x", "by": "somebody else"}, "Override of immutable parameter(s) ['by']"),
        ({"name": "x", "log_level": "DEBUG"}, "Override of immutable parameter(s) ['log_level']"),
        ({"name": "{{ nobody }}"}, 'Dependency unsatisfied in variable "nobody"'),
    ],
)
def test_parameters_that_stackstorm_would_refuse(pack, parameters, words):
    """A missing, unknown, mistyped or immutable parameter refuses the request before anything runs."""
    with pytest.raises(runner.Refused) as refused:
        pack.run("runner_pack.greet", parameters)

    assert words in str(refused.value)


def test_jinja_defaults_see_the_configuration_and_the_user(pack):
    """Defaults are rendered from config_context and action_context."""
    result = pack.run("runner_pack.greet", {"name": "x"}, config={"greeting": "Ahoy"}, user="ada").output

    assert (result["summary"], result["by"]) == ("Ahoy, x", "ada")


def test_chat_user_comes_before_the_system_user(pack):
    """Who typed in a chat is in action_context as api_user."""
    assert pack.run("runner_pack.greet", {"name": "x"}, api_user="grace").output["by"] == "grace"


def test_given_value_beats_a_jinja_default(pack):
    """A default that is a template does not win over what was given."""
    assert pack.run("runner_pack.greet", {"name": "x", "word": "Hey"}).output["summary"] == "Hey, x"


def test_configuration_is_filled_from_its_schema(pack):
    """Defaults are merged into the configuration, also inside of objects."""
    config = pack.run("runner_pack.greet", {"name": "x"}, config={"names": {"a": "b"}}).output["config"]

    assert config == {"greeting": "Hello", "limits": {"attempts": 3}, "names": {"a": "b"}}


def test_configuration_file_that_breaks_the_schema_is_refused(pack, tmp_path):
    """A wrong type in the configuration is named before anything runs."""
    file = tmp_path / "runner_pack.yaml"
    file.write_text("limits: {attempts: many}\n")

    with pytest.raises(runner.Refused, match=r"limits.attempts: 'many' is not of type 'integer'"):
        pack.run("runner_pack.greet", {"name": "x"}, config=file)


def test_required_configuration_is_checked(pack):
    """A required option without a default has to be given."""
    pack.replace("config.schema.yaml", "  default: Hello\n", "")

    with pytest.raises(runner.Refused, match="'greeting' is a required property"):
        pack.run("runner_pack.greet", {"name": "x"})


def test_configuration_can_point_into_the_datastore(pack):
    """st2kv.system in the configuration is the key's value; a key that is not there is None."""
    pack.run("runner_pack.count", {"key": "word"})
    config = {"secret_word": "{{ st2kv.system.word }}", "greeting": "{{ st2kv.system.nowhere }}"}

    found = pack.run("runner_pack.greet", {"name": "x", "word": "Hey"}, config=config).output["config"]

    assert (found["secret_word"], found["greeting"]) == ("1", None)


def test_disabled_action_is_refused(pack):
    """An action that its metadata disables does not run."""
    pack.replace("actions/greet.yaml", "enabled: true", "enabled: false")

    with pytest.raises(runner.Refused, match=r'Action "runner_pack.greet" is disabled'):
        pack.run("runner_pack.greet", {"name": "x"})


def test_timeout_kills_the_action_and_its_children(pack, tmp_path, gone):
    """At the metadata's time-out nothing of the action goes on, and the status is timeout."""
    pack.replace("actions/hold.yaml", "default: 60", "default: 1")

    execution = pack.run("runner_pack.hold", {"until": str(tmp_path / "never")})

    assert (execution.status, execution.result["exit_code"]) == ("timeout", -9)
    assert execution.result["error"] == "Action failed to complete in 1 seconds"
    assert gone(execution.result["stdout"])


def test_kill_looks_like_a_timeout(pack, tmp_path):
    """StackStorm cannot tell a SIGKILL of others from its own, and reports a time-out."""
    with pack.start("runner_pack.hold", {"until": str(tmp_path / "never")}) as running:
        running.wait_for("output", "hold")
        running.kill("hold")
        execution = running.wait(30)

    assert (execution.status, execution.output) == ("timeout", "None")


def test_canceled_action_runs_to_its_end(pack, tmp_path):
    """A cancel of a Python action changes what it is called, not what it does."""
    with pack.start("runner_pack.hold", {"until": str(tmp_path / "file")}) as running:
        running.wait_for("output", "hold")
        running.cancel()
        (tmp_path / "file").touch()
        execution = running.wait(30)

    assert (execution.status, execution.output) == ("canceled", {"held": str(tmp_path / "file")})


def test_output_is_streamed(pack):
    """What an action prints comes as events while it runs."""
    seen = []

    pack.run("runner_pack.answer", {"how": "succeed"}, on_event=seen.append)

    printed = [event for event in seen if event["event"] == "output"]
    # StackStorm's own base class logs below "st2."; the stand-in's does not.
    lines = [(event["stream"], event["line"].removeprefix("st2.")) for event in printed]
    assert sorted(lines) == [
        ("stderr", "actions.python.Answer: INFO     asked for succeed"),
        ("stdout", "out: succeed"),
    ]


def test_listener_that_fails_ends_the_run(pack, tmp_path, gone):
    """An exception of the caller's listener is the caller's to see, and leaves nothing running."""

    def listener(event):
        if event["event"] == "output":
            raise LookupError(event["line"])

    with pytest.raises(LookupError) as error:
        pack.run("runner_pack.hold", {"until": str(tmp_path / "never")}, on_event=listener)

    assert gone(str(error.value))


def test_an_action_waits_for_its_turn_in_a_pool(pack, tmp_path):
    """Executions that share a pool run no more actions at once than it has turns; what runs is not held up by it."""
    let_go = tmp_path / "file"
    with Pool(1) as pool, pack.start("runner_pack.hold", {"until": str(let_go)}, pool=pool) as first:
        first.wait_for("output", "hold")
        with pack.start("runner_pack.answer", {"how": "plain"}, pool=pool) as second:
            second.wait_for("started", "answer")
            with pytest.raises(TimeoutError):
                second.wait_for("ended", "answer", timeout=0.5)
            let_go.touch()
            assert [first.wait(60).status, second.wait(60).status] == ["succeeded", "succeeded"]
