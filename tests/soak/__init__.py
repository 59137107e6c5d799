"""The bot as real processes, and whatever can go wrong with them: `python -m tests.soak`. No part of `make test`."""

import sys
from pathlib import Path

# What the tests share is found by its own name, as under pytest.
sys.path.insert(0, str(Path(__file__).parents[1]))
