"""The web pages: built from `front/` into `static/`, and served from there."""
