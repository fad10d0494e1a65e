"""`python -m bnnverify` is `bnnverify`."""

import sys

from bnnverify.cli import main

if __name__ == "__main__":
    sys.exit(main())
