"""`python -m linly VERB`."""

import sys

from linly.cli import main

sys.exit(main())
