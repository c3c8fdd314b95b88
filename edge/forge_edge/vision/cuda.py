"""The few calls of the CUDA runtime that an engine needs: memory, one stream, and what the card is.

Source: CUDA Runtime API 12; the calls and their attribute numbers are the same since CUDA 6.
"""

import ctypes
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from forge_edge.errors import InferenceError

_LIBRARIES: Final = ("libcudart.so.12", "libcudart.so.13", "libcudart.so")
_HOST_TO_DEVICE, _DEVICE_TO_HOST = 1, 2  # cudaMemcpyKind
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # cudaDeviceAttr

Array = NDArray[np.float32]


class Cuda(Protocol):
    """One card. Used from one thread."""

    def capability(self) -> str:
        """Return the compute capability, such as ``8.7`` for a Jetson Orin.

        Raises:
            InferenceError: There is no card, or it does not answer; so do all the others.
        """

    def allocate(self, size: int) -> int:
        """Return the address of so many bytes on the card."""

    def free(self, address: int) -> None:
        """Give memory back."""

    def stream(self) -> int:
        """Return a new stream."""

    def to_card(self, address: int, array: Array, stream: int) -> None:
        """Copy an array to the card; it must live until the stream is done."""

    def from_card(self, array: Array, address: int, stream: int) -> None:
        """Copy from the card into an array, which is filled when the stream is done."""

    def wait(self, stream: int) -> None:
        """Return when everything in the stream is done."""

    def end(self, stream: int) -> None:
        """Give a stream back."""


class CudaRuntime:
    """The first card of this machine, by the CUDA runtime library."""

    def __init__(self, library: Any | None = None) -> None:  # noqa: ANN401 (a library's functions have no types)
        self._library: Any = library or _library()

    def capability(self) -> str:
        """See `Cuda`."""
        return f"{self._attribute(_CAPABILITY_MAJOR)}.{self._attribute(_CAPABILITY_MINOR)}"

    def allocate(self, size: int) -> int:
        """See `Cuda`."""
        address = ctypes.c_void_p()
        self._call("cudaMalloc", ctypes.byref(address), ctypes.c_size_t(size))
        return address.value or 0

    def free(self, address: int) -> None:
        """See `Cuda`."""
        self._call("cudaFree", ctypes.c_void_p(address))

    def stream(self) -> int:
        """See `Cuda`."""
        stream = ctypes.c_void_p()
        self._call("cudaStreamCreate", ctypes.byref(stream))
        return stream.value or 0

    def to_card(self, address: int, array: Array, stream: int) -> None:
        """See `Cuda`."""
        self._copy(ctypes.c_void_p(address), ctypes.c_void_p(array.ctypes.data), array.nbytes, _HOST_TO_DEVICE, stream)

    def from_card(self, array: Array, address: int, stream: int) -> None:
        """See `Cuda`."""
        self._copy(ctypes.c_void_p(array.ctypes.data), ctypes.c_void_p(address), array.nbytes, _DEVICE_TO_HOST, stream)

    def wait(self, stream: int) -> None:
        """See `Cuda`."""
        self._call("cudaStreamSynchronize", ctypes.c_void_p(stream))

    def end(self, stream: int) -> None:
        """See `Cuda`."""
        self._call("cudaStreamDestroy", ctypes.c_void_p(stream))

    def _attribute(self, number: int) -> int:
        value = ctypes.c_int()
        self._call("cudaDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(number), ctypes.c_int(0))
        return value.value

    def _copy(self, to: ctypes.c_void_p, source: ctypes.c_void_p, size: int, kind: int, stream: int) -> None:
        stream_pointer = ctypes.c_void_p(stream)
        self._call("cudaMemcpyAsync", to, source, ctypes.c_size_t(size), ctypes.c_int(kind), stream_pointer)

    def _call(self, name: str, *arguments: object) -> None:
        status = int(getattr(self._library, name)(*arguments))
        if status != 0:
            raise InferenceError(f"{name} failed with {status}")


def _library() -> Any:  # noqa: ANN401 (a library's functions have no types)
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise InferenceError("the CUDA runtime library is not installed")
