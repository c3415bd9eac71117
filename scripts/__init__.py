"""The stages that turn `figures/*.toml` into pictures and a report, in the order data flows.

spec → arithmetic → frames → render → typeset → rasterise → animate, and → report.
"""

import signal
import sys

# While a command's module is still being imported (argv is then only -m), an interrupt ends it without a traceback;
# from then on `cli.run` handles it.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
