"""Single lines of nova's log, with what a test wants to vary."""

from __future__ import annotations

import json

UUID = "8c5b2c05-282e-4600-9a91-133ae31245c3"
REQUEST = "req-3aa09768-5c49-4602-97e1-466ca47c0362"


def line(logger, message, request=REQUEST, process=2728, level="ERROR"):
    """One record in oslo.log's default format."""
    context = f"None {request} - - - - - -" if request else "-"
    return f"2026-11-22 11:00:32.672 {process} {level} {logger} [{context}] {message}"


def answered(status, answer, uuid=UUID, **context):
    """nova's line about a creation that Placement gave this answer."""
    message = f"Failed to create resource provider record in placement API for UUID {uuid}. Got {status}: {answer}."
    return line("nova.scheduler.client.report", f"[req-9bfb9c47-f692-4ff4-9f9c-785c34b440aa] {message}", **context)


def conflict(name="compute-0", **context):
    """The line with the fault's cause."""
    return answered(409, conflict_answer(f"name: {name}"), **context)


def conflict_answer(duplicate):
    """Placement's answer to a conflict."""
    detail = "There was a conflict when trying to complete your request.\n\n "
    detail += f"Conflicting resource provider {duplicate} already exists.  "
    return json.dumps({"errors": [{"status": 409, "title": "Conflict", "detail": detail, "request_id": REQUEST}]})


def failed(node="compute-0", name=None, **context):
    """The line behind it, which names the node and the provider that could not be created."""
    reason = f"nova.exception.ResourceProviderCreationFailed: Failed to create resource provider {name or node}"
    return line("nova.compute.manager", f"Error updating resources for node {node}.: {reason}", **context)


def as_bytes(*lines):
    """The file that holds these lines."""
    return "".join(text + "\n" for text in lines).encode()
