"""Stand-in for st2common.exceptions.content."""


class ParseException(ValueError):
    """A line of a chat does not have an alias's format."""
