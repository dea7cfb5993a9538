"""Processes: children that end with the one that started them, and an orderly end by SIGTERM."""
