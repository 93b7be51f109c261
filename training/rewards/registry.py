"""All rewards by name: one line of metadata for each function. A new one is a function, a line and its vector.

The order is that of the generated page. Rewards of level "formula" score what their trainers hand them (rankings,
labels, samples), not episodes, so that no preset can name them.
"""

from __future__ import annotations

from functools import partial

from agent.types import LanguageModel
from training.rewards import (
    actions,
    boundary,
    citation,
    contrastive,
    cost,
    coverage,
    decisions,
    evidence_page,
    intrinsic,
    judging,
    learned,
    outcome,
    preferences,
    principles,
    process,
    queries,
    ranking,
    rubrics,
    semantic,
)
from training.rewards import format as form
from training.rewards.contract import Reward

_OUTCOME = (
    Reward("em", outcome.exact, 0, 1, "SQuAD", "outcome", ("answer",), ("gold",),
           "sparse: says nothing of how the answer was found", source="code"),
    Reward("f1", outcome.word_f1, 0, 1, "SQuAD", "outcome", ("answer",), ("gold",),
           "a bag of words: order and negation are not seen", source="code"),
    Reward("typed_answer", outcome.typed, 0, 1, "Mixed-R1 2505.24164", "outcome", ("answer",), ("gold",),
           "the wrong branch of the router is too kind or too hard; name the kind where it is known"),
    Reward("correct", outcome.correct, 0, 1, "SmartSearch 2601.04888", "outcome", ("answer", "abstention"), ("gold",),
           "tolerates wrong paths to right answers", source="code"),
    Reward("abstention", cost.abstention, -1, 1, "ours", "outcome", ("answer", "abstention"), ("gold",),
           "needs a balanced set of answerable and unanswerable questions"),
)  # fmt: skip
_PROCESS = (
    Reward("consistency", process.consistency, 0, 1, "TeaRAG 2511.05385", "process", ("queries",), (),
           "no key entities, no inconsistency: name them from the goal, not from the query", source="paper"),
    Reward("knowledge", process.knowledge, 0, 1, "TeaRAG 2511.05385", "process", ("queries", "results"),
           ("evidence", "encoder"), "queries that quote the gold statement", source="paper",
           encodes=process.knowledge_texts),
    Reward("sufficiency", process.sufficiency, 0, 1, "TeaRAG 2511.05385", "process", ("results",), ("evidence",),
           "retrieving everything covers everything: weigh against cost"),
    Reward("single_hop", process.single_hop_outcome, 0, 1, "TeaRAG 2511.05385", "outcome", ("answer", "cost"),
           ("gold",), "not searching at all is as cheap as one search", source="paper"),
    Reward("inforage", coverage.inforage, 0, 1.2, "InForage 2505.09316", "outcome", ("answer", "results", "cost"),
           ("gold", "evidence"), "two turns are free", source="code"),
    Reward("early_evidence", coverage.early_evidence, 0, 1, "VRAG-RL nDCG", "process", ("results",), ("evidence",),
           "one long result list instead of good queries", source="code"),
    Reward("answer_shown", coverage.answer_shown, 0, 1, "Search-R1 2505.15117", "process", ("results",), ("gold",),
           "a short gold answer stands in many passages by chance", source="code"),
    Reward("vrag", coverage.vrag, 0, 1, "VRAG-RL", "outcome", ("answer", "results", "format"), ("gold", "evidence"),
           "a search is required even where none is needed", source="code"),
    Reward("query_novelty", queries.novelty, 0, 1, "SmartSearch 2601.04888", "process", ("queries", "results"), (),
           "off-topic searches are always new: weigh it small, among wrong answers only", source="code"),
    Reward("query_quality", queries.usefulness, 0, 1, "SmartSearch 2601.04888", "process", ("queries", "results"),
           ("teacher",), "a teacher that judges by topic instead of by the goal", source="paper"),
    Reward("smartsearch", queries.smartsearch, 0, 1.1, "SmartSearch 2601.04888", "outcome",
           ("answer", "queries", "format"), ("gold", "teacher"),
           "a wrong answer with many good queries is capped at 0.3", source="code"),
    Reward("intent", queries.intent, 0, 1, "ChatR1 2510.13312", "process", ("queries",), ("reference",),
           "the best of many queries counts: limit their number", source="summary"),
    Reward("chatr1", queries.chatr1, 0, 1.2, "ChatR1 2510.13312", "outcome", ("answer", "queries"), ("gold",),
           "as intent", source="summary"),
    Reward("expansion", queries.expansion, -0.2, 1, "LESER 2509.05570", "process", ("queries", "results"),
           ("evidence",), "drift, where relevance is judged by the retriever itself"),
    Reward("redundancy", cost.redundancy, 0, 1, "Survey 2510.16724", "process", ("results",), (),
           "unrelated searches repeat nothing: weigh it among right answers only"),
)  # fmt: skip
_BOUNDARY = (
    Reward("ikea", boundary.ikea, -1, 1.6, "IKEA 2505.07596", "outcome", ("answer", "cost", "format", "abstention"),
           ("gold",), "on easy questions alone it teaches never to search: mix easy and hard 1:1", source="code"),
    Reward("gate_label", boundary.gate_label, 0, 1, "AdaSearch 2512.16883", "process", ("cost",), ("label",),
           "labels of another model: probe the one that is trained", source="summary"),
    Reward("saas", boundary.saas, -1, 1, "SAAS 2605.29796", "outcome", ("answer", "cost"), ("gold",),
           "without probes every question counts as middle or hard", "group", source="code"),
    Reward("judge_agreement", judging.judge_agreement, -0.6, 0.3, "ReSeek 2510.00568", "process", ("verdicts",),
           ("teacher",), "judging only the easy results; count the judged share", source="summary"),
    Reward("reflection", judging.reflection, 0, 1, "RE-Searcher 2509.26048", "process", ("verdicts",), ("teacher",),
           "always accepting where most results are useful", source="summary"),
)  # fmt: skip
_FORM = (
    Reward("format", form.format_holds, 0, 1, "Search-R1 2505.15117", "format", ("format",), (),
           "a perfect form around a wrong answer: use it as a gate", source="code"),
    Reward("re_searcher", form.re_searcher, 0, 1.1, "RE-Searcher 2509.26048", "outcome",
           ("answer", "verdicts", "format"), ("gold",), "0.2 for form alone", source="summary"),
    Reward("searches", cost.searches, 0, 1, "ours", "cost", ("cost",), (), "without gold best paid by never searching"),
    Reward("tokens", cost.tokens, 0, 1, "ours", "cost", ("cost",), (), "without gold best paid by saying nothing"),
    Reward("steps", cost.steps, 0, 1, "ours", "cost", ("cost",), (), "without gold best paid by stopping at once"),
    Reward("right_and_cheap", cost.right_and_cheap, 0, 1, "Survey 2510.16724", "outcome", ("answer", "cost"),
           ("gold",), "guessing from memory pays where it is often right; that is its purpose"),
)  # fmt: skip
_CITATION = (
    Reward("citation_f1", citation.citation_f1, 0, 1, "ours", "process", ("citations",), ("evidence",),
           "gold passages that are not the only right ones"),
    Reward("citation_supported", citation.supported_share, 0, 1, "ours", "process", ("citations",), (),
           "citing one safe claim and no other: pair it with `citation_f1`"),
    Reward("rubric", citation.rubric, 0, 1, "CaRR 2601.06021", "process", ("answer", "citations"),
           ("evidence", "encoder"), "of the prose only its word order is checked", source="code",
           encodes=citation.rubric_texts),
    Reward("carr", citation.carr, 0, 1, "CaRR 2601.06021", "outcome", ("answer", "citations"),
           ("gold", "evidence", "encoder"), "as rubric", "group", source="summary",
           encodes=citation.rubric_texts),
    Reward("page", evidence_page.page, 0, 1, "PageLLM 2506.09084", "process", ("results", "citations"), ("encoder",),
           "variety without relevance earns nothing, variety beside it does", encodes=evidence_page.page_texts),
)  # fmt: skip
_SEMANTIC = (
    Reward("encoder", semantic.encoder, 0, 1, "Encoder-only GRPO 2509.13081", "outcome", ("answer",),
           ("reference", "encoder"), "a wrong relation between the right names", encodes=semantic.encoder_texts),
    Reward("bag_of_words", semantic.bag_of_words, 0, 1, "Mixed-R1 2505.24164", "outcome", ("answer",),
           ("reference", "encoder"), "order and negation are not seen: only beside an outcome"),
    Reward("adaptive", semantic.AdaptiveSemantic(), 0, 1, "ARMed 2508.12957", "outcome", ("answer",),
           ("reference", "encoder"), "spreads a group of equally bad answers too: keep the floor", "group",
           source="summary", encodes=semantic.encoder_texts),
    Reward("relevance", semantic.relevance, 0, 1, "R3 2402.03469", "outcome", ("answer",), ("encoder",),
           "on-topic sentences pay up to 60 words, whether they answer or not", source="summary",
           encodes=semantic.relevance_texts),
    Reward("contrastive", contrastive.contrastive, 0, 1, "Contrastive SQL 2510.13827", "outcome", ("answer",),
           ("reference", "encoder"), "easy distractors saturate it", encodes=contrastive.contrastive_texts),
    Reward("nuggets", rubrics.nuggets, 0, 1, "Search-Gen-V 2510.14660", "outcome", ("answer",),
           ("reference", "encoder"), "copies of nuggets as claims that are true but not asked for", source="code",
           encodes=rubrics.nugget_texts),
    Reward("principle", principles.principle, 1, 5, "RewardAnything 2506.03637", "outcome", ("answer",), ("encoder",),
           "measures form, not truth: never without an outcome", "group", source="summary"),
)  # fmt: skip
_DECISIONS = (
    Reward("calibrated", decisions.calibrated, 0, 1, "Survey 2510.16724", "process", ("answer", "abstention"),
           ("gold",), "always unsure earns 0.75: weigh it beside an outcome"),
    Reward("stop_choice", decisions.stop_choice, 0, 1, "Survey 2510.16724", "process", ("results", "verdicts"),
           ("evidence",), "gold evidence that is not the only way to the answer"),
)  # fmt: skip
_ACTIONS = (
    Reward("tool_calls", actions.tool_calls, -3, 3, "ToolRL 2504.13958", "process", ("calls", "format"), ("gold",),
           "an extra call costs little: 3.0 becomes 2.25", source="code"),
    Reward("exploration", actions.exploration, -1, 2, "InfiGUI-G1 2508.05731", "process", ("queries", "results"),
           ("evidence",), "many candidates soften failure: at most 8", source="code"),
    Reward("inverse_cube", ranking.first_results, 0, 1, "MM-R5 2506.12364", "process", ("results",), ("evidence",),
           "nearly blind below rank 2: nDCG first", source="code"),
    Reward("partial_action", actions.partial_action_score, 0, 1, "Reasoning-SQL 2503.23157", "process", ("queries",),
           ("gold",), "farming partial credit: it ends at 0.5", "formula"),
    Reward("retro_star", ranking.retro_scores, -0.75, 1, "Retro* 2509.24869", "process", ("verdicts",), ("gold",),
           "the inner part rewards agreeing on a wrong score", "formula", source="paper"),
    Reward("list_factors", form.list_factors, 0, 1, "MM-R5 2506.12364", "format", ("format",), (),
           "the released form pays for one index repeated; repeats are merged here", "formula", source="code"),
    Reward("query_choice", ranking.query_choice, 0, 1, "Tool retrieval 2412.03573", "process", ("queries",),
           ("gold", "encoder"), "queries that copy the descriptions", "formula"),
    Reward("nugget_verifier", rubrics.verifier_score, 0, 1, "Search-Gen-V 2510.14660", "process", ("verdicts",),
           ("gold",), "released form: absent labels count as right (0.417 for nothing)", "formula", source="code"),
    Reward("principle_judge", principles.judge_training_score, -0.5, 1, "RewardAnything 2506.03637", "process",
           ("verdicts",), ("gold",), "scores close together hide inversions of small gaps", "formula"),
    Reward("intrinsic_hash", intrinsic.Intrinsic(intrinsic.HashHead()), 0, 1, "ONI 2410.23022", "process",
           ("queries", "results"), ("feedback",), "0 for every step that is new and good", source="code"),
)  # fmt: skip
_LEARNED = (
    Reward("learned", learned.RewardModel.reward, 0, 1, "IRL survey 2507.13158", "outcome", ("answer",),
           ("feedback", "encoder"), "over-optimisation: take the lower bound, watch gold on an audit set", "formula"),
    Reward("context_preference", preferences.ContextPreference.probability, 0, 1, "Context-aware 2407.14916",
           "outcome", ("answer",), ("feedback", "encoder"), "a context that says nothing is read as one that does",
           "formula", source="summary"),
)  # fmt: skip

REWARDS: dict[str, Reward] = {
    reward.name: reward
    for family in (_OUTCOME, _PROCESS, _BOUNDARY, _FORM, _CITATION, _SEMANTIC, _DECISIONS, _ACTIONS, _LEARNED)
    for reward in family
}


def with_model(model: LanguageModel) -> dict[str, Reward]:
    """Rewards whose judge is a language model: the same signatures, labelled `llm`, None where the model failed."""
    return {
        "nuggets_llm": Reward(
            "nuggets_llm", partial(rubrics.nuggets, model=model), 0, 1, "Search-Gen-V 2510.14660", "outcome",
            ("answer",), ("reference", "llm"), "a judge that shares weights with the policy", body="llm", source="code",
        ),
        "principle_llm": Reward(
            "principle_llm", partial(principles.principle, model=model), 1, 5, "RewardAnything 2506.03637", "outcome",
            ("answer",), ("llm",), "order and position of the answers", "group", body="llm", source="summary",
        ),
    }  # fmt: skip
