"""What the charge point of the examples does, on mock pins; each file is a subject."""

import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "raspberry_pi"
sys.path.insert(0, str(EXAMPLES))
