"""The eyes' networks from a model release: opened from its folder, proved by its own golden output.

A release of the role ``pose`` in the format ``onnx`` holds ``detector.onnx`` and ``landmarker.onnx``, whose inputs and
outputs are named and shaped as in `forge_edge.vision.runtime`. Its golden input is an ``.npz`` with an array for each
network by its name; its golden output names each output as ``detector.boxes``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from forge_edge.errors import EngineMissingError, InferenceError, UpdateRefusedError
from forge_edge.update.golden import Expected, read_expected, worst_share
from forge_edge.vision.backends import Carried, Say, available
from forge_edge.vision.engines import EngineStore
from forge_edge.vision.pose import BlazePose
from forge_edge.vision.runtime import NETWORKS, Array, Backend, Network, Runtime
from forge_edge.vision.tensor_rt import TensorRt
from forge_shared.releases import Manifest

ENGINES: Final = ".engines"
"""Folder of a release's own engines, built on this device; no file of a release can have such a name."""


class ReleasedNetworks:
    """The networks of one release.

    Args:
        folder: Where its files lie, each as its manifest says.
        manifest: The release's own.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._golden = manifest.golden
        digests = {file.path: file.sha256 for file in manifest.files}
        self.networks = tuple(
            replace(network, file=f"{network.name}.onnx", sha256=digests.get(f"{network.name}.onnx", ""))
            for network in NETWORKS
        )
        self._tensor_rt = TensorRt(EngineStore(folder / ENGINES), proof=self.prove)

    def build(self) -> bool:
        """Build the engines that this device runs them by, where it builds any; takes minutes on a Jetson.

        Returns:
            Whether there was anything to build.

        Raises:
            InferenceError: They cannot be built, or do not prove themselves.
            EngineMissingError: The release lacks a network.
        """
        if find_spec("tensorrt") is None:
            return False
        for network in self.networks:
            self._tensor_rt.build(network, self._weights(network))
        return True

    def open(self, say: Say) -> BlazePose:
        """Open the networks on the first back end that gives the golden output.

        Raises:
            EngineMissingError: The release lacks a network.
            InferenceError: No back end can run them.
        """
        return BlazePose(*(self._carried(network, say) for network in self.networks))

    def worst(self, say: Say) -> float:
        """Return how far the golden output is missed by what would run here, as a share of its range.

        Raises:
            EngineMissingError: The release lacks a network.
            InferenceError: No back end can run them, or every one misses it by more than its tolerance.
            UpdateRefusedError: The golden input or output cannot be read.
        """
        found = []
        for network in self.networks:
            runtime = self._carried(network, say)
            found.append(self._off(runtime))
            runtime.close()
        return max(found)

    def prove(self, runtime: Runtime) -> None:
        """Run a network on the golden input and compare.

        Raises:
            InferenceError: It failed, or gave something else than what is stored.
        """
        try:
            off = self._off(runtime)
        except UpdateRefusedError as error:
            raise InferenceError(str(error)) from None
        if not off <= self._golden.tolerance:
            raise InferenceError(f"the {runtime.network.name} is off by {off:.3g} of its range on {runtime.backend}")

    def _carried(self, network: Network, say: Say) -> Carried:
        ours: Sequence[Backend] = [self._tensor_rt, *(one for one in available() if one.name != self._tensor_rt.name)]
        return Carried(network, self._weights(network), ours, say, proof=self.prove)

    def _weights(self, network: Network) -> bytes:
        try:
            return (self._folder / network.file).read_bytes()
        except OSError:
            raise EngineMissingError(f"the release has no {network.file}") from None

    def _off(self, runtime: Runtime) -> float:
        name = runtime.network.name
        wanted = self._expected(name)
        gave = runtime.run(self._inputs(runtime.network))
        return worst_share(wanted, {f"{name}.{output}": array.reshape(-1).tolist() for output, array in gave.items()})

    def _expected(self, network: str) -> Mapping[str, Expected]:
        stored = read_expected((self._folder / self._golden.output).read_bytes())
        found = {name: part for name, part in stored.items() if name.startswith(f"{network}.")}
        if not found:
            raise UpdateRefusedError("golden-unreadable")
        return found

    def _inputs(self, network: Network) -> Mapping[str, Array]:
        (given,) = network.inputs
        try:
            with np.load(self._folder / self._golden.input, allow_pickle=False) as stored:
                return {given.name: stored[network.name].astype(np.float32, copy=False)}
        except (OSError, ValueError, KeyError) as error:
            raise UpdateRefusedError("golden-unreadable") from error
