"""The report's chapters, each a function from Material to Chapter."""
