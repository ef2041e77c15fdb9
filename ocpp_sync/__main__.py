"""``python -m ocpp_sync`` is the command ``ocpp-sync``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
