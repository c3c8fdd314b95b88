"""The room as a device of Home Assistant: what it shows of itself, and what it lets itself be asked for.

Everything that decides is pure; `link` holds what is between two messages. What the room shows is a closed set of
codes (`state.HomeState`): no words, no names, nothing of what was said or asked for in it.
"""
