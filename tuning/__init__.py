"""Searches for settings: latent size, alpha, beta and others."""
