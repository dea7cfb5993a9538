"""The search of latent size, alpha and beta."""
