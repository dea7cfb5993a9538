"""Multi-task semi-supervised adversarial autoencoder for speech emotion (arXiv 1907.06078).

Importing this package is cheap: TensorFlow is loaded by the modules that need it
(`ser_aae.store.records` and above), never by this file.
"""

__version__ = "0.1.0"
