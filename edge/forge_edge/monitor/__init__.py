"""Judges what was seen over time. Pure: looks and their times in, findings out; the same looks give the same ones."""
