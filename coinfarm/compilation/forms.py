"""The compiled forms of a model, and the processor features that they need."""

from coinfarm.models.compiled_form import CompiledForm

_FLOAT_FILE = "compiled/wide.xml"
_INT8_FILE = "compiled/int8.xml"
COLUMN_TABLES_FILE = "compiled/columns.npz"
# Parity is measured on the processor that compiles. On an emulated ARM this form differed from Keras, so ARM uses Keras.
_X86_64 = ("sse4_2",)
# Other processors emulate it, five times slower than float32.
_BF16 = ("avx512_bf16", "amx_bf16")
# AVX2 multiplies bytes. VNNI is faster but not required: with 7-bit weights the sums are exact without it.
_INT8 = ("avx2",)

F32 = CompiledForm(name="f32", file=_FLOAT_FILE, precision="f32", needs=(_X86_64,))
BF16 = CompiledForm(name="bf16", file=_FLOAT_FILE, precision="bf16", needs=(_BF16,))
INT8 = CompiledForm(name="int8", file=_INT8_FILE, precision="f32", needs=(_INT8,))
INT8_BF16 = CompiledForm(name="int8-bf16", file=_INT8_FILE, precision="bf16", needs=(_INT8, _BF16))
