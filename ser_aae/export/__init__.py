"""A trained run as one file: Keras, SavedModel, ONNX or LiteRT."""
