"""Replies that a person waits for: paid from a budget, streamed, ahead of what runs send."""
