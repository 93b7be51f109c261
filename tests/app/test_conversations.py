import sqlite3
import threading
from pathlib import Path

import pytest

from app.conversations import Conversations
from index.errors import InputError, NotFoundError, StoreError
from index.types import Scope

SCOPE = Scope(("contracts",), ("d1", "d2"))


def test_a_conversation_survives_a_restart_with_its_answers(tmp_path: Path) -> None:
    first = Conversations(tmp_path)
    conversation = first.start("  Who built\nthe bridge? ", SCOPE)
    message = first.ask(conversation, "Who built the bridge?")
    first.assign(message, "job-1")
    first.answer(message, {"answer": {"text": "Ilse Marn. ✓"}})

    again = Conversations(tmp_path)
    assert again.get(conversation).title == "Who built the bridge?"
    assert again.get(conversation).scope == SCOPE
    (found,) = again.messages(conversation)
    assert (found.question, found.job_id) == ("Who built the bridge?", "job-1")
    assert found.trajectory == {"answer": {"text": "Ilse Marn. ✓"}}


def test_the_list_has_the_last_used_first(tmp_path: Path) -> None:
    conversations = Conversations(tmp_path)
    old, new = conversations.start("old", Scope()), conversations.start("new", Scope())
    assert [c.id for c in conversations.list()] == [new, old]
    conversations.ask(old, "once more")
    assert [c.id for c in conversations.list()] == [old, new]
    assert [c.id for c in conversations.list(limit=1)] == [old]


def test_rename_and_rescope(tmp_path: Path) -> None:
    conversations = Conversations(tmp_path)
    conversation = conversations.start("q", Scope())
    conversations.rename(conversation, "x" * 200)
    conversations.rescope(conversation, SCOPE)
    found = conversations.get(conversation)
    assert len(found.title) == 80 and found.title.endswith("…") and found.scope == SCOPE
    with pytest.raises(InputError):
        conversations.rename(conversation, "  ")


def test_delete_takes_the_messages_along_and_nothing_else(tmp_path: Path) -> None:
    conversations = Conversations(tmp_path)
    gone, kept = conversations.start("gone", Scope()), conversations.start("kept", Scope())
    lost, stays = conversations.ask(gone, "a"), conversations.ask(kept, "b")
    conversations.delete(gone)
    conversations.delete(gone)
    with pytest.raises(NotFoundError):
        conversations.get(gone)
    with pytest.raises(NotFoundError):
        conversations.ask(gone, "more")
    assert conversations.messages(gone) == ()
    conversations.answer(lost, {"answer": {}})  # a job that ends after its conversation was deleted
    assert [m.id for m in conversations.messages(kept)] == [stays]
    with sqlite3.connect(tmp_path / "conversations.db") as db:
        assert db.execute("SELECT count(*) FROM messages").fetchone() == (1,)
    db.close()


def test_feedback_with_its_cause_can_be_given_and_taken_back(tmp_path: Path) -> None:
    conversations = Conversations(tmp_path)
    conversation = conversations.start("q", Scope())
    message = conversations.ask(conversation, "q")
    conversations.feedback(message, 0, "wrong evidence", "page 3")
    (found,) = conversations.messages(conversation)
    assert (found.thumb, found.cause, found.comment) == (0, "wrong evidence", "page 3")
    conversations.feedback(message, None)
    (found,) = conversations.messages(conversation)
    assert (found.thumb, found.cause, found.comment) == (None, "", "")
    with pytest.raises(InputError, match="should have abstained"):
        conversations.feedback(message, 0, "ugly")
    with pytest.raises(NotFoundError):
        conversations.feedback("no such message", 1)


def test_questions_from_many_threads_keep_an_order_and_none_is_lost(tmp_path: Path) -> None:
    conversations = Conversations(tmp_path)
    conversation = conversations.start("q", Scope())
    threads = [
        threading.Thread(target=conversations.ask, args=(conversation, f"question {n}")) for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = [m.question for m in conversations.messages(conversation)]
    assert sorted(asked) == sorted(f"question {n}" for n in range(12))


def test_a_newer_or_foreign_file_is_refused_with_advice(tmp_path: Path) -> None:
    Conversations(tmp_path)
    with sqlite3.connect(tmp_path / "conversations.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer Forage"):
        Conversations(tmp_path)
    (tmp_path / "conversations.db").write_bytes(b"this is not a database, it only looks like one " * 20)
    for name in ("conversations.db-wal", "conversations.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(StoreError, match="Move it away"):
        Conversations(tmp_path)
