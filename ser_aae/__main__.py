"""`python -m ser_aae`, the same as `ser-aae`."""

import sys

from ser_aae.cli import main

sys.exit(main())
