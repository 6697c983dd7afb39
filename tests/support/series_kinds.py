"""Models of series: attention, recurrence, wrappers and dense layers."""

from tests.support.model_kinds import kinds, on_frames, on_image, on_series

ATTENTION = kinds(
    "attention",
    on_series,
    {
        "MultiHeadAttention": lambda k, x: k.layers.MultiHeadAttention(2, 4)(x, x),
        "MultiHeadAttention, causal": lambda k, x: k.layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True),
        "GroupQueryAttention": lambda k, x: k.layers.GroupQueryAttention(4, 4, 2)(x, x),
        "Attention": lambda k, x: k.layers.Attention(use_scale=True)([x, x]),
        "AdditiveAttention": lambda k, x: k.layers.AdditiveAttention()([x, x]),
        "Embedding of the position": lambda k, x: x + k.layers.Embedding(50, 8)(k.ops.arange(50)),
    },
    quick=("MultiHeadAttention",),
)

RECURRENT = kinds(
    "recurrent",
    on_series,
    {
        "LSTM": lambda k, x: k.layers.LSTM(6)(x),
        "GRU": lambda k, x: k.layers.GRU(6)(x),
        "GRU, reset before": lambda k, x: k.layers.GRU(6, reset_after=False)(x),
        "SimpleRNN": lambda k, x: k.layers.SimpleRNN(6)(x),
        "LSTM, bidirectional": lambda k, x: k.layers.Bidirectional(k.layers.LSTM(6))(x),
        "LSTM, two": lambda k, x: k.layers.LSTM(4)(k.layers.LSTM(6, return_sequences=True)(x)),
        "LSTM, unrolled": lambda k, x: k.layers.LSTM(4, unroll=True)(x),
        "LSTM, backwards, with dropout": lambda k, x: k.layers.LSTM(4, go_backwards=True, dropout=0.2, recurrent_dropout=0.2)(x),
        "LSTM with its states": lambda k, x: k.layers.Concatenate()(k.layers.LSTM(4, return_state=True)(x)),
        "Masking, then LSTM": lambda k, x: k.layers.LSTM(4)(k.layers.Masking()(x)),
        "RNN of two cells": lambda k, x: k.layers.RNN([k.layers.LSTMCell(4), k.layers.GRUCell(3)])(x),
    },
    quick=("GRU",),
) + kinds(
    "recurrent",
    on_image,
    {
        "ConvLSTM1D": lambda k, x: k.layers.ConvLSTM1D(4, 3)(x),
        "ConvLSTM2D": lambda k, x: k.layers.ConvLSTM2D(4, 3)(k.layers.Reshape((4, 5, 15, 8))(x)),
    },
)

WRAPPERS = kinds(
    "wrapper",
    on_image,
    {"TimeDistributed Conv1D": lambda k, x: k.layers.TimeDistributed(k.layers.Conv1D(4, 3))(x)},
) + kinds(
    "wrapper",
    on_series,
    {"TimeDistributed Dense": lambda k, x: k.layers.TimeDistributed(k.layers.Dense(4))(x)},
)

DENSE = kinds(
    "dense",
    on_frames,
    {
        "one layer on all pixels": lambda k, x: x,
        "a large layer on all pixels": lambda k, x: k.layers.Dense(256, "relu")(k.layers.Flatten()(x)),
        "three layers on columns": lambda k, x: k.layers.Dense(8, "relu")(k.layers.Dense(16, "relu")(k.layers.Reshape((200, 450))(x))),
    },
)

SERIES_KINDS = [*ATTENTION, *RECURRENT, *WRAPPERS, *DENSE]
