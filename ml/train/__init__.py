"""From rows to the files of models."""
