"""Batches for training and scoring, from shards through `tf.data`."""
