"""A seeded generator of closed fictional worlds: entities, facts, documents, questions with exact gold.

It stands apart so that boundary learning, the example collection and load tests share one source of truth.
"""

from training.world.closed_world import World, passages
from training.world.records import Entity, Evidence, Fact, Question, Variant, WorldDocument

__all__ = ["Entity", "Evidence", "Fact", "Question", "Variant", "World", "WorldDocument", "passages"]
