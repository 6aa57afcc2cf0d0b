"""The names of the methods."""

from __future__ import annotations

DISCARD = "discard"
PRESERVE = "preserve"
TRANSPLANT = "transplant"
METHODS = (TRANSPLANT, PRESERVE, DISCARD)
DEFAULT_METHOD = TRANSPLANT
# In the place of a method: the one whose plan has the digest that is approved.
APPROVED = "approved"
