"""tap-pipedream against another base URL: tap.py BASE_URL, then the tap's own arguments.

The tap has its base URL as a constant; setting it is all that happens here.
"""

from __future__ import annotations

import sys

from tap_pipedream.client import PipedreamStream
from tap_pipedream.tap import TapPipedream

PipedreamStream.url_base = sys.argv.pop(1)
TapPipedream.cli()
