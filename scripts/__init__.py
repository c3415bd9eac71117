"""The stages that turn `figures/*.toml` into pictures and a report, in the order data flows.

spec → arithmetic → frames → render → typeset → rasterise → animate, and → report.
"""
