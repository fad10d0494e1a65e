"""The source's own arithmetic: onnxruntime runs a model on inputs, node by node as published. Its only importer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bnnverify.errors import BadModel
from bnnverify.extras import needed
from bnnverify.formats.arrays import reason
from bnnverify.formats.onnx.file import EXTRA, PURPOSE, Array

FATAL = 4  # the quietest of its log levels: errors are raised, not printed


def run_model(model: bytes, inputs: Iterable[dict[str, Array]]) -> Iterator[list[Array]]:
    """Yield the outputs for each of the inputs, without any merging of nodes beforehand. Raises BadModel, MissingExtra."""
    with needed(PURPOSE, "onnxruntime", extra=EXTRA):
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors
    options: Any = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = FATAL
    refusals = (errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.NotImplemented, errors.RuntimeException)
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        for given in inputs:
            yield session.run(None, given)
    except refusals as error:
        raise BadModel(f"expected nodes that onnxruntime can run, got: {reason(error)}") from error
