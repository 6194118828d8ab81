"""The hot path: plan, admit, dispatch, settle."""
