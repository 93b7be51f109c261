"""Development questions and their gold passages stay out of training, and the card counts them."""

from pathlib import Path

from training.skills import hop_data, reader_data
from training.skills.card import Run
from training.skills.leaks import LeakAudit, licences, passage_overlap, read_corpus, read_lines


def test_same_questions_and_same_gold_passages_are_left_out(sets: Path) -> None:
    audit = LeakAudit.of(sets)
    folder = sets / "squad1_duetest"
    corpus = read_corpus(folder)
    kept = [q["id"] for q in read_lines(folder / "train.jsonl") if audit.allows("squad1_duetest", q, corpus)]
    assert kept == ["s1"]
    assert audit.dropped == {"squad1_duetest: same question": 2, "squad1_duetest: same gold passage": 1}


def test_the_report_counts_what_was_really_trained_on(sets: Path) -> None:
    audit = LeakAudit.of(sets)
    clean = audit.report(*reader_data.trained_on(reader_data.sources(Run(sets, sets, 1.0), audit)))
    assert clean["dev_questions_in_training"] == clean["dev_gold_passages_as_positives"] == 0
    dirty = audit.report(["How deep is Lake Brune?"], [read_corpus(sets / "squad1_duetest")["bread"]["text"]])
    assert dirty["dev_questions_in_training"] == dirty["dev_gold_passages_as_positives"] == 1


def test_bridges_never_lead_to_development_gold(sets: Path, tmp_path: Path) -> None:
    audit = LeakAudit.of(sets)
    pool = hop_data.open_pool(sets, "hotpotqa_distractor", tmp_path)
    pairs = hop_data.find_bridges(pool, audit, 7)
    titles = {(pool.titles[one.first], pool.titles[one.second]) for one in pairs}
    assert ("Oster Mill", "Mira Vell") in titles
    assert not any("Halden" in pair or "Rye bread" in pair for pair in titles)


def test_overlap_and_licences_are_read_from_the_sets(sets: Path) -> None:
    assert passage_overlap(sets, "squad1_duetest") == 0.5  # of "halden" and "bread"
    assert licences(sets, ("squad1_duetest", "absent")) == {"squad1_duetest": "CC0"}
