"""Grids of many runs on Dask: their plan, their places, their workers."""
