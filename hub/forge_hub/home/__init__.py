"""The rooms' model releases in Home Assistant: what is offered there, how far it is, and what is asked for.

The rooms announce themselves; of releases the hub decides, so it is the hub that speaks of them and listens.
"""
