"""Results as people read them: terminal tables, JSON documents, one-file HTML. The only place that rounds or formats."""
