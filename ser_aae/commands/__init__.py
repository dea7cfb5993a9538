"""The commands of `ser-aae`, one module each: `add_parser` declares it, `run` does it.

Importing them is cheap. What a command needs (TensorFlow, pandas, `data_prep`, `reports`) it
imports when it runs: these are the only modules of `ser_aae` that know the other packages.
"""
