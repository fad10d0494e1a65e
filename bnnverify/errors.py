"""Everything that can go wrong, and whose fault it is.

    BnnVerifyError
    ├── BadInput (ValueError)        something the caller gave cannot be used; exit code 2
    │   ├── BadModel                 a model file or network: unreadable, wrong shapes, NaN, not a step function
    │   ├── BadSample                an input or data set: wrong number of bits, unknown index, not 0/1
    │   ├── BadQuery                 a question that makes no sense: radius out of range, unknown class or engine
    │   └── Rejected                 a proof that does not show what it claims; `check` makes a row of it
    ├── MissingExtra (ImportError)   an optional package is needed; the message says what to install
    ├── WorkLost (RuntimeError)      a process of this program ended before its answer; nothing is decided; exit code 1
    └── Disagreement (RuntimeError)  two parts of this program contradict each other; exit code 3
        └── WitnessRejected          an engine named a witness that the network itself does not confirm

A question that could not be decided is no error: the answer is then a wider interval or UNKNOWN.
"""


class BnnVerifyError(Exception):
    """Root of the tree above."""


class BadInput(BnnVerifyError, ValueError):
    """What the caller gave cannot be used."""


class BadModel(BadInput):
    """A model that cannot be read exactly."""


class BadSample(BadInput):
    """An input or data set that does not fit."""


class BadQuery(BadInput):
    """A question outside its own limits."""


class Rejected(BadInput):
    """A proof that does not show what it claims."""


class MissingExtra(BnnVerifyError, ImportError):
    """An optional package is not installed."""


class WorkLost(BnnVerifyError, RuntimeError):
    """A process at the side ended before its answer, and what follows needs it."""


class Disagreement(BnnVerifyError, RuntimeError):
    """A bug in this program, found by itself; nothing is reported as a result."""


class WitnessRejected(Disagreement):
    """The network does not confirm the point that an engine named."""
