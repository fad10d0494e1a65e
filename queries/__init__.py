"""Verbs: one per file, and the engines they run on, one per file too."""
