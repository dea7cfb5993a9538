"""The training of one run: its two stages, its schedule, and the scores at its end."""
