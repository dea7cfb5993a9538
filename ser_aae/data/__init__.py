"""The data of a run: classes, speakers and parts, from a config and a store."""
