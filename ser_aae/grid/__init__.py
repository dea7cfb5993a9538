"""Many runs on Dask: what is missing, where it lies, and who works on it."""
