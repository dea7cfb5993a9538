"""A trained model on new recordings: posteriors, timelines and voices."""
