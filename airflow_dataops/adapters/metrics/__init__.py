"""The queue between what is measured and the sinks."""
