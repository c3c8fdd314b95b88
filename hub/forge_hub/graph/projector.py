"""Temporary."""
from forge_hub.graph.ports import GraphBatch
def batch_of(position, envelope, data): return GraphBatch((), (), position)
def merge(batches): return GraphBatch((), (), batches[-1].position)
