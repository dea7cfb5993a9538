"""Processes: children that end with their starter, an end by SIGTERM, and TensorFlow unheard."""
