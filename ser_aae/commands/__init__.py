"""The commands of `ser-aae`, one module each: `add_parser` declares it, `run` does it.

Their import is cheap: a command imports TensorFlow, pandas, `data_prep` and `reports` when it runs.
These are the only modules of `ser_aae` that import the other packages.
"""
