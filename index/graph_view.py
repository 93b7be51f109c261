"""The subgraph of one answer, for people: what the question names, what was read, and the way to the answer.

Built after the answer from the passages that it found and cites, so it costs the question nothing and needs no
corpus graph. Passages and the entities they name are nodes; triplets are edges between entities that say their
relation. PageRank over the association graph of these passages (index.association) with an edge for every
mention says how much of the question's attention a node gets: what gets least is left out first, the way from
the question to the answer never.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import networkx

from index.association import SUBQUERY, AssociatedChunk, AssociatedTriplet, associate, rank
from index.graph import CorpusGraph
from index.graph_rows import empty, extended, with_aliases
from index.link import Linker
from index.names import bare_title, name_key
from index.normalise import squeeze
from index.passage_knowledge import Named, PassageKnowledge, knowledge_of, spellings
from index.store import Store
from index.types import Passage
from index.view_records import Answered, GraphView, NodeKind, ViewEdge, ViewNode

MOST = 60  # nodes that a picture can carry
FOUND = 16  # passages of the search that may take part beside the cited ones
ASKED = 6  # entities of the question shown
WEAK = 0.5  # a link this much weaker than the strongest one is not shown as named in the question
LEAF = 0.3  # share of its mass that an entity of a single passage counts for: it joins nothing
EXCERPT = 220  # characters of a passage told on hover
RELATIONS = 3  # told of two entities that several triplets join
LONGEST_RELATION = 60
# Cost of a step of the way: evidence before other passages, names before figures that anything may share.
PASSAGE_COST = {True: 1.0, False: 3.0}
ENTITY_COST = {
    "title": 1.0,
    "name": 1.0,
    "quoted": 1.0,
    "heading": 2.0,
    "phrase": 2.0,
    "date": 4.0,
    "number": 4.0,
}
CERTAIN = 4.0  # log-odds that a score of 0 or 1 stands for


def answer_graph(store: Store, answered: Answered, most: int = MOST) -> GraphView:
    """The subgraph of an answered question, at most `most` nodes (more only where the way itself is longer).

    An abstention (nothing cited) gives the question, what it names and what was found, without a path.
    """
    found = [key for key in answered.hits if key not in answered.cited][:FOUND]
    wanted = [*dict.fromkeys(answered.cited), *found]
    passages = {passage.id: passage for passage in store.passages(wanted)}
    known = knowledge_of(store, list(passages.values()))
    drawn = _Drawing(answered, passages, known)
    return drawn.view(most, len(wanted) - len(passages))


class _Drawing:
    """One picture while it is being made."""

    def __init__(self, answered: Answered, passages: Mapping[int, Passage], known: PassageKnowledge) -> None:
        self._answered, self._passages, self._known = answered, passages, known
        self._kinds, self._labels = _best_kinds(known.named), spellings(known.named, passages)
        self._asked = _asked(answered.question, passages, known)
        self._answer = self._answer_entity()
        self._net = self._network()
        self._mass = self._masses()
        self._main, self._path_edges = self._paths()

    def view(self, most: int, deleted: int) -> GraphView:
        """The picture of the most important nodes."""
        ways = {"question", *self._main, *(node for pair in self._path_edges for node in pair)}
        first = [*ways, *map(_entity, self._asked), *map(_passage, self._answered.cited)]
        firm = [node for node in dict.fromkeys(first) if node in self._net]
        rest = sorted(self._net.nodes - set(firm), key=lambda node: (-self._importance(node), node))
        kept = [*firm, *rest][: max(most, len(ways))]
        parts = networkx.connected_components(self._net.subgraph(kept))
        loose = {node for part in parts if all(node.startswith("e:") for node in part) for node in part}
        shown = [node for node in kept if node not in loose]
        edges = [*self._edges(set(shown)), *self._strays(set(shown))]
        order = sorted(shown, key=lambda node: (node != "question", -self._mass[node], node))
        return GraphView(
            nodes=tuple(self._node(node, node in ways) for node in order),
            edges=tuple(edges),
            path=tuple(self._main),
            left_out=len(self._net) - len(shown),
            deleted=deleted,
        )

    # ---- the network ------------------------------------------------------------------------------

    def _network(self) -> networkx.Graph:
        """Question, passages, entities; every edge with `kind`, `label` and the `cost` of a step along it."""
        net = networkx.Graph()
        net.add_node("question")
        net.add_nodes_from(map(_passage, self._passages))
        cited = set(self._answered.cited)
        for one in self._known.named:
            cost = PASSAGE_COST[one.passage_id in cited] + ENTITY_COST[self._kinds[one.key]]
            net.add_edge(_passage(one.passage_id), _entity(one.key), kind="names", label="", cost=cost)
        for alias, key in self._known.aliases:
            if _entity(alias) in net and _entity(key) in net and alias != key:
                net.add_edge(_entity(alias), _entity(key), kind="alias", label="also called", cost=1.0)
        for key in self._asked:
            net.add_edge("question", _entity(key), kind="asks", label="", cost=1.0)
        return net

    def _masses(self) -> dict[str, float]:
        """PageRank of TeaRAG's association graph of these passages, with an edge for every mention."""
        chunks = [
            AssociatedChunk(str(key), name_key(bare_title(passage.title)), self._logit(key))
            for key, passage in self._passages.items()
        ]
        triplets = [
            AssociatedTriplet(str(number), t.subject, t.object, str(t.passage_id), self._logit(t.passage_id))
            for number, t in enumerate(self._known.stated)
        ]
        drawn = associate(chunks, triplets, self._asked)
        for one in self._known.named:
            drawn.add_edge(("chunk", str(one.passage_id)), ("entity", one.key), weight=1.0)
        ranks = rank(drawn, self._asked)
        mass = {_passage(key): ranks[("chunk", str(key))] for key in self._passages}
        mass |= {_entity(one.key): ranks[("entity", one.key)] for one in self._known.named}
        for number, t in enumerate(self._known.stated):  # drawn as an edge: its ends share what it holds
            for key in (t.subject, t.object):
                mass[_entity(key)] += ranks[("triplet", str(number))] / 2
        return {"question": ranks[SUBQUERY], **mass}

    def _logit(self, passage_id: int) -> float:
        score = 1.0 if passage_id in self._answered.cited else self._answered.hits.get(passage_id, 0.0)
        share = min(max(score, 0.0), 1.0)
        return CERTAIN * (2 * share - 1)

    def _importance(self, node: str) -> float:
        """Mass, less for an entity that joins nothing: it is the first to go."""
        leaf = node.startswith("e:") and self._net.degree(node) < 2
        return self._mass[node] * (LEAF if leaf else 1.0)

    # ---- the way to the answer --------------------------------------------------------------------

    def _answer_entity(self) -> str:
        """Key of the short answer where the answer's passage names it; else ""."""
        wanted = name_key(self._answered.short)
        own = {one.key for one in self._known.named if one.passage_id == self._answered.answer}
        return wanted if wanted in own else ""

    def _paths(self) -> tuple[list[str], set[tuple[str, str]]]:
        """(the way to the answer, the edges of the ways to all cited passages)."""
        main: list[str] = []
        edges: set[tuple[str, str]] = set()
        for key in self._answered.cited:
            if key not in self._passages:
                continue
            way = self._way(_passage(key))
            if key == self._answered.answer:
                if self._answer and _entity(self._answer) not in way:
                    way = [*way, _entity(self._answer)]
                main = way
            edges |= set(zip(way, way[1:], strict=False))
        return main, edges

    def _way(self, target: str) -> list[str]:
        """The cheapest way over what passages name; straight from the question where nothing named leads there."""
        try:
            way: list[str] = networkx.dijkstra_path(self._net, "question", target, weight="cost")
        except networkx.NetworkXNoPath:
            return ["question", target]
        return way

    # ---- records ----------------------------------------------------------------------------------

    def _node(self, node: str, on_path: bool) -> ViewNode:
        mass = round(self._mass[node], 5)
        if node == "question":
            return ViewNode(node, "question", "Question", squeeze(self._answered.question), mass, on_path)
        if node.startswith("e:"):
            key = node[2:]
            kind: NodeKind = "answer" if key == self._answer else "asked" if key in self._asked else "entity"
            return ViewNode(node, kind, self._labels[key], "", mass, on_path)
        passage = self._passages[int(node[2:])]
        cited = passage.id in self._answered.cited
        said = squeeze(self._answered.quotes.get(passage.id) or passage.text)
        detail = said if len(said) <= EXCERPT else said[: EXCERPT - 1].rstrip() + "…"
        title, heading = squeeze(passage.title) or "Untitled", squeeze(passage.heading.split(" > ")[-1])
        return ViewNode(
            id=node,
            kind="evidence" if cited else "passage",
            label=title,
            detail=detail,
            mass=mass,
            on_path=on_path,
            heading=heading if heading != title else "",
            passage_id=passage.id,
        )

    def _edges(self, shown: set[str]) -> list[ViewEdge]:
        """What joins the shown nodes; a relation stands between its two entities."""
        found = [
            ViewEdge(*_ordered(a, b), data["kind"], data["label"], self._on_path(a, b))
            for a, b, data in self._net.edges(data=True)
            if a in shown and b in shown
        ]
        told: dict[tuple[str, str], list[str]] = {}
        for stated in self._known.stated:
            ends = _entity(stated.subject), _entity(stated.object)
            if shown.issuperset(ends) and stated.subject != stated.object:
                told.setdefault(ends, []).append(_shortened(squeeze(stated.relation)))
        for (source, target), relations in told.items():
            label = "; ".join([word for word in dict.fromkeys(relations) if word][:RELATIONS])
            found.append(ViewEdge(source, target, "states", label))
        return sorted(found, key=lambda edge: (not edge.on_path, edge.kind, edge.source, edge.target))

    def _strays(self, shown: set[str]) -> list[ViewEdge]:
        """An edge from the question to the best passage of every part that nothing named reaches."""
        made = []
        for part in networkx.connected_components(self._net.subgraph(shown)):
            passages = [node for node in part if node.startswith("p:")]
            if "question" not in part and passages:
                cited = [node for node in passages if self._on_path("question", node)]
                best = min(passages, key=lambda node: (-self._mass[node], node))
                made += [ViewEdge("question", node, "found", "", bool(cited)) for node in cited or [best]]
        return sorted(made, key=lambda edge: (not edge.on_path, edge.target))

    def _on_path(self, a: str, b: str) -> bool:
        return (a, b) in self._path_edges or (b, a) in self._path_edges


def _asked(question: str, passages: Mapping[int, Passage], known: PassageKnowledge) -> list[str]:
    """Keys of the entities of these passages that the question names, strongest first."""
    number = {document: at for at, document in enumerate({p.document_id: 0 for p in passages.values()})}
    rows = [(key, number[passage.document_id]) for key, passage in passages.items()]
    edges = extended(empty(), rows, ((one.passage_id, one.key, one.kind) for one in known.named))
    links = Linker(CorpusGraph(with_aliases(edges, known.aliases))).link(question)
    strong = [link.key for link in links if link.weight >= WEAK * links[0].weight]
    return list(dict.fromkeys(strong))[:ASKED]


def _best_kinds(named: Sequence[Named]) -> dict[str, str]:
    """The kind in which each entity makes the best step."""
    kinds: dict[str, str] = {}
    for one in named:
        if one.key not in kinds or ENTITY_COST[one.kind] < ENTITY_COST[kinds[one.key]]:
            kinds[one.key] = one.kind
    return kinds


def _shortened(relation: str) -> str:
    return relation if len(relation) <= LONGEST_RELATION else f"…{relation[1 - LONGEST_RELATION :].lstrip()}"


def _ordered(a: str, b: str) -> tuple[str, str]:
    """Question before entity before passage reads from left to right; otherwise by name."""
    rank_of = {"q": 0, "e": 1, "p": 2}
    return (a, b) if (rank_of[a[0]], a) <= (rank_of[b[0]], b) else (b, a)


def _entity(key: str) -> str:
    return f"e:{key}"


def _passage(key: int) -> str:
    return f"p:{key}"
