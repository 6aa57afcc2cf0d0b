"""Runs the pack's own workflows and actions outside of StackStorm.

The workflows' YAML is driven by the registry's orquesta, each Python action runs in a process of its own, parameters
are checked against the metadata, and the datastore is a file that all actions share. Two processes work together: the
caller's (``runner``, standard library only) and the engine's (``engine``, in the environment that holds orquesta).

    from lab.stackstorm import runner
    execution = runner.run("placement_recovery.recover_host", {"host": "compute-0"}, config=..., datastore=...)

Sensors run in processes of their own (``sensors``), the triggers that they and actions dispatch are kept in the
datastore's file (``triggers``), and the pack's rules are judged on them (``matching``). ``installation`` puts all of it
on a lab. Where StackStorm's own ``st2common`` is not installed, ``standin`` has the few names that the pack imports.

What it does not do: timers, webhooks, aliases and policies; inquiries, pause, resume and re-run; runners other
than python-script, orquesta and noop, and packs other than the one given (of ``core``, noop and echo are there);
``task()`` and those functions and Jinja filters that StackStorm adds to orquesta, but for ``st2kv()`` and
``to_complex``; user-scoped keys; ``output_schema``, the masking of secrets, permissions, notifications. StackStorm
leaves an action's child processes alone when the action times out: here they are killed with it.
"""
