"""Files: written whole or not at all, digests of their content, locks on folders."""
