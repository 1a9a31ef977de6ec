"""Folds block-quantised ONNX weights into float32: what onnxruntime cannot load, it then can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def load_folded(source: Path) -> onnx.ModelProto:
    """Load a model and turn every dequantised (and then reshaped) initialiser into float32."""
    model = onnx.load(str(source))
    graph = model.graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in arrays:
            arrays[node.output[0]] = _dequantised(node, arrays)
        elif node.op_type == "Reshape" and set(node.input) <= arrays.keys():
            values, shape = (arrays[name] for name in node.input)
            arrays[node.output[0]] = values.reshape([int(side) for side in shape])
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input}
    replace_all(graph.node, kept)
    replace_all(
        graph.initializer,
        [numpy_helper.from_array(values, name) for name, values in arrays.items() if name in used],
    )
    replace_all(graph.input, [entry for entry in graph.input if entry.name in used - arrays.keys()])
    return model


def _dequantised(node: onnx.NodeProto, arrays: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """ONNX DequantizeLinear on constants: per tensor, per channel, or per block of `axis`."""
    attributes = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    axis, block = attributes.get("axis", 1), attributes.get("block_size", 0)
    values, scale, *rest = (arrays[name].astype(np.float32) for name in node.input)
    zero = rest[0] if rest else np.zeros(1, np.float32)
    shifted: NDArray[np.float32] = values - _spread(zero, values, axis, block)
    return shifted * _spread(scale, values, axis, block)


def _spread(
    parameter: NDArray[np.float32], values: NDArray[np.float32], axis: int, block: int
) -> NDArray[np.float32]:
    """A scale or zero point, repeated to the shape of the values it belongs to."""
    if parameter.size == 1:
        return parameter.reshape(())
    if block:
        side = values.shape[axis]
        return np.repeat(parameter, block, axis=axis).take(range(side), axis=axis)
    shape = [1] * values.ndim
    shape[axis] = -1
    return parameter.reshape(shape)


def replace_all(field: object, entries: list[Any]) -> None:
    """Assign to a repeated protobuf field."""
    del field[:]  # type: ignore[attr-defined]
    field.extend(entries)  # type: ignore[attr-defined]
