"""The networks of Fig. 1, their losses, and the model that trains them in three phases."""
