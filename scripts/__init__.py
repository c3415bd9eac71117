"""The stages that turn `figures/*.toml` into pictures and a report, in the order data flows.

spec → arithmetic → frames → render → typeset → rasterise → animate, and → report.
"""

import signal
import sys

# Run as a command (Python's argv tells while it looks for the module), an interrupt during the imports ends it
# without a traceback; from then on `cli.run` sees to it.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
