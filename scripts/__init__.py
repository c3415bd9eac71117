"""From `figures/*.toml` to pictures and a report; commands are the modules directly in this folder.

Data flows from core (keys, arithmetic, frames) through views (scenes) and stages (TikZ, PDF, images) to formats.
"""

import signal
import sys

# While a command's module is still being imported (argv is then only -m), an interrupt ends it without a traceback;
# from then on `cli.run` handles it.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
