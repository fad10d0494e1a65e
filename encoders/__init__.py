"""Encoders turn nouns into bits: presolve, then one walk over the network in the algebra of an engine."""
