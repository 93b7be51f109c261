"""The chat application: `streamlit run app/main.py`. Sets the page up and draws what all pages share."""

from __future__ import annotations

import logging
from pathlib import Path

import streamlit as st

from app import render
from app.sidebar import sidebar
from index.errors import ForageError

STYLE = Path(__file__).parent / "style"
SIDEBAR_WIDTH = 268  # pixels


def main() -> None:
    """Frame, navigation and sidebar, then the chosen page."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    st.set_page_config(
        page_title="Forage",
        page_icon=str(STYLE / "leaf.svg"),
        layout="wide",
        initial_sidebar_state=SIDEBAR_WIDTH,
    )
    st.html(STYLE / "app.css")
    pages = [
        st.Page("chat.py", title="Chat", icon=":material/forum:", default=True),
        st.Page("library.py", title="Library", icon=":material/menu_book:", url_path="library"),
        st.Page("memory.py", title="Memory", icon=":material/psychology:", url_path="memory"),
        st.Page("training.py", title="Training", icon=":material/model_training:", url_path="training"),
        st.Page("rewards.py", title="Rewards", icon=":material/balance:", url_path="rewards"),
        st.Page("settings.py", title="Settings", icon=":material/tune:", url_path="settings"),
    ]
    page = st.navigation(pages, position="hidden")
    try:
        sidebar(pages)
        page.run()
    except ForageError as error:  # a person's problem, told in one paragraph
        st.error(render.plain(str(error)), icon=":material/error:")


if __name__ == "__main__":
    main()
