"""The forms in which a model is worth compiling, and what they need of a processor."""

from coinfarm.models.compiled_form import CompiledForm

_WIDE_FILE = "compiled/wide.xml"
_INT8_FILE = "compiled/int8.xml"
# Parity is measured on the processor that compiles. Under an emulated ARM this form was far from Keras: there Keras serves.
_X86_64 = ("sse4_2",)
# Others emulate it, five times slower than float32.
_BF16 = ("avx512_bf16", "amx_bf16")
# Bytes are multiplied from AVX2 on. What VNNI adds is speed: the weights of 7 bits need none to be exact.
_BYTES = ("avx2",)

F32 = CompiledForm(name="f32", file=_WIDE_FILE, precision="f32", needs=(_X86_64,))
BF16 = CompiledForm(name="bf16", file=_WIDE_FILE, precision="bf16", needs=(_BF16,))
INT8 = CompiledForm(name="int8", file=_INT8_FILE, precision="f32", needs=(_BYTES,))
INT8_BF16 = CompiledForm(name="int8-bf16", file=_INT8_FILE, precision="bf16", needs=(_BYTES, _BF16))
