"""Checking proofs that others wrote: small arithmetic that reads a model and shares nothing with encoders or engines.

`sample.checked` puts it together: files, margins, meanings, clauses, trace. docs/proofs.md says what is trusted.
"""
