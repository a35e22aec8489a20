"""Sources: where raw records come from; one file a source, each with its guarantee."""
