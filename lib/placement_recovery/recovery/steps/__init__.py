"""One file per step, named as the step."""
