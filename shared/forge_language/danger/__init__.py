"""The parts behind `forge_language.crisis`: words, patterns, what stands around them, and one catalogue a language."""
