"""What a secret looks like, for `secrets.py`, which reads these in this order.

`patterns` are tables of formats, command lines and files; `assignments` finds a value beside its name, which `names`
knows; `following` says what a line lets expect of the next one; `remembered` finds again what was shown before.
"""

from typing import Final

MASK: Final = "••••••"  # what stands for a secret
