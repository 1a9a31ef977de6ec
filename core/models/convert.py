"""OpenCV Zoo's int8bq weights → what onnxruntime and insightface load: SFace and YuNet.

onnxruntime refuses the files as published (block-quantised weights, opset 21, initialisers
declared as inputs). The quantised weights are folded into float32, and YuNet's graph is wrapped
so that insightface takes it for an SCRFD detector. Measured with onnx 1.23, onnxruntime 1.32 and
insightface 2.1. A change of what is written counts up CONVERSION in packs.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

STEEP = 0.99  # slope from which its ratio to the rest of 1 is no number to multiply by
STRIDES = (8, 16, 32)  # YuNet's three feature maps; SCRFD's too
# What each of them gives SCRFD: the node that has it, SCRFD's name, numbers a cell.
OUTPUTS = (("confidence", "score", 1), ("distance", "box", 4), ("kps", "landmarks", 10))


def build_recogniser(source: Path, target: Path, *, rewritten: bool = True) -> None:
    """SFace int8bq → float32 with a free batch: (N, 3, 112, 112) RGB 0-255 → (N, 128).

    Its PRelu were 62 % of its time in onnxruntime: without them it is twice as fast. With them,
    `rewritten=False`, it is what scripts/benchmark.py compares with.
    """
    model = _load_folded(source)
    graph = model.graph
    if rewritten:
        parts = [part for node in graph.node for part in _without_prelu(graph, node)]
        _replace_all(graph.node, parts)
    _free_dimension(graph.input[0], 0, "batch")
    _free_dimension(graph.output[0], 0, "batch")
    _finish(model, target)


def build_detector(source: Path, target: Path) -> None:
    """YuNet int8bq → an SCRFD-shaped detector of any height and width divisible by 32.

    In: (1, 3, H, W) RGB, (x - 127.5) / 128. Out, for strides 8, 16, 32: scores (1, 2n, 1),
    distances left/top/right/bottom (1, 2n, 4) and landmark offsets (1, 2n, 10) in strides,
    where every second anchor is a dummy with score 0 (insightface expects two a cell).
    """
    model = _load_folded(source)
    graph = model.graph
    _free_dimension(graph.input[0], 2, "height")
    _free_dimension(graph.input[0], 3, "width")
    _prepend_input_scaling(graph)
    _append_scrfd_outputs(graph)
    _finish(model, target)


def _without_prelu(graph: onnx.GraphProto, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """PRelu(x) of slopes a by Relu, which onnxruntime runs fast; other nodes as they are.

    With z = (1 - a) x, which becomes part of the convolution before, it is Relu(z) + a / (1 - a) z;
    where a slope is 1 or more, a x + (1 - a) Relu(x).
    """
    if node.op_type != "PRelu":
        return [node]
    (x, slope), (result,) = node.input, node.output
    slopes = next(
        numpy_helper.to_array(entry) for entry in graph.initializer if entry.name == slope
    )
    rest = _constant(graph, f"{slope}_rest", (1 - slopes).astype(np.float32))
    scaled, positive, straight = (f"{result}_{part}" for part in ("scaled", "positive", "all"))
    if slopes.max() < STEEP:
        ratio = _constant(graph, f"{slope}_ratio", (slopes / (1 - slopes)).astype(np.float32))
        parts = [
            helper.make_node("Mul", [x, rest], [scaled]),
            helper.make_node("Relu", [scaled], [positive]),
            helper.make_node("Mul", [scaled, ratio], [straight]),
        ]
    else:
        parts = [
            helper.make_node("Relu", [x], [scaled]),
            helper.make_node("Mul", [scaled, rest], [positive]),
            helper.make_node("Mul", [x, slope], [straight]),
        ]
    return [*parts, helper.make_node("Add", [straight, positive], [result])]


def _finish(model: onnx.ModelProto, target: Path) -> None:
    del model.graph.value_info[:]  # shapes of the quantised, fixed-size graph
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


def _free_dimension(value: onnx.ValueInfoProto, axis: int, name: str) -> None:
    value.type.tensor_type.shape.dim[axis].dim_param = name


def _prepend_input_scaling(graph: onnx.GraphProto) -> None:
    """insightface feeds RGB (x - 127.5) / 128; YuNet wants BGR 0-255."""
    inner = "bgr_0_255"
    for node in graph.node:
        _replace_all(
            node.input, [inner if name == graph.input[0].name else name for name in node.input]
        )
    swap = _constant(graph, "channel_order", np.array([2, 1, 0]))
    half = _constant(graph, "input_scale", np.array(128, dtype=np.float32))
    middle = _constant(graph, "input_shift", np.array(127.5, dtype=np.float32))
    head = [
        helper.make_node("Gather", [graph.input[0].name, swap], ["bgr"], axis=1),
        helper.make_node("Mul", ["bgr", half], ["bgr_scaled"]),
        helper.make_node("Add", ["bgr_scaled", middle], [inner]),
    ]
    _replace_all(graph.node, head + list(graph.node))


def _append_scrfd_outputs(graph: onnx.GraphProto) -> None:
    """Decode YuNet's heads into SCRFD's nine outputs."""
    _constant(graph, "zero", np.array(0, dtype=np.float32))
    _constant(graph, "two", np.array(2, dtype=np.float32))
    for stride in STRIDES:
        graph.node.extend(_decoded(stride))
        for source, name, width in OUTPUTS:
            graph.node.extend(
                _with_dummy_anchor(graph, f"{source}_{stride}", f"{name}_{stride}", width)
            )
    _replace_all(
        graph.output,
        [
            helper.make_tensor_value_info(
                f"{name}_{stride}", onnx.TensorProto.FLOAT, [1, f"anchors_{stride}", width]
            )
            for _, name, width in OUTPUTS
            for stride in STRIDES
        ],
    )


def _decoded(stride: int) -> list[onnx.NodeProto]:
    """YuNet's heads of one feature map → `confidence` and `distance`; its `kps` are SCRFD's.

    A box is a centre and the logarithm of a size there, distances to four sides here.
    """
    joint, confidence, centre, log_size, size, half, left_top, right_bottom, distance = (
        f"{name}_{stride}"
        for name in ("joint", "confidence", "centre", "log_size", "size", "half", "to_left_top",
                     "to_right_bottom", "distance")
    )  # fmt: skip
    return [
        helper.make_node("Mul", [f"cls_{stride}", f"obj_{stride}"], [joint]),
        helper.make_node("Sqrt", [joint], [confidence]),
        helper.make_node("Split", [f"bbox_{stride}"], [centre, log_size], axis=2, num_outputs=2),
        helper.make_node("Exp", [log_size], [size]),
        helper.make_node("Div", [size, "two"], [half]),
        helper.make_node("Sub", [half, centre], [left_top]),
        helper.make_node("Add", [half, centre], [right_bottom]),
        helper.make_node("Concat", [left_top, right_bottom], [distance], axis=2),
    ]


def _with_dummy_anchor(
    graph: onnx.GraphProto, source: str, target: str, width: int
) -> list[onnx.NodeProto]:
    """(1, n, k) → (1, 2n, k), each row followed by a row of zeros."""
    shape = _constant(graph, f"{target}_shape", np.array([1, -1, width]))
    return [
        helper.make_node("Mul", [source, "zero"], [f"{target}_none"]),
        helper.make_node("Concat", [source, f"{target}_none"], [f"{target}_pair"], axis=2),
        helper.make_node("Reshape", [f"{target}_pair", shape], [target]),
    ]


def _constant(graph: onnx.GraphProto, name: str, values: NDArray[Any]) -> str:
    graph.initializer.append(numpy_helper.from_array(values, name))
    return name


def _load_folded(source: Path) -> onnx.ModelProto:
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
    _replace_all(graph.node, kept)
    _replace_all(
        graph.initializer,
        [numpy_helper.from_array(values, name) for name, values in arrays.items() if name in used],
    )
    _replace_all(
        graph.input, [entry for entry in graph.input if entry.name in used - arrays.keys()]
    )
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


def _replace_all(field: object, entries: list[Any]) -> None:
    """Assign to a repeated protobuf field."""
    del field[:]  # type: ignore[attr-defined]
    field.extend(entries)  # type: ignore[attr-defined]
