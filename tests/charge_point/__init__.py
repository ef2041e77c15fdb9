"""What the charge point of the examples does, on mock pins; each file is a subject."""

import os
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "raspberry_pi"
PYTHONPATH = os.pathsep.join([str(EXAMPLES), str(EXAMPLES.parents[1])])  # of a program as a process
sys.path.insert(0, str(EXAMPLES))
