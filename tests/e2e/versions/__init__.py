"""The version before this one, run on the database of this one; `.ci/previous` gives it the code of that version."""
