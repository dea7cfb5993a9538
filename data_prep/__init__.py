"""Preparation of corpora: adapters, synthetic speech, and shards of spectrograms."""
