"""Checking proofs that others wrote: small arithmetic over a model, which shares no code with encoders or engines.

`sample.checked_claim` applies all checks: files, margins, annotations, clauses, trace. docs/proofs.md lists what is trusted.
"""
