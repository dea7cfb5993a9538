"""Parting of speakers into training, validation and test, and the guard against leaks."""
