"""FastAPI and `model.predict`: python -m uvicorn benchmarks.servers.fastapi_app:app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.servers.keras_model import KerasModel


class PredictionRequest(BaseModel):
    symbol: str
    interval: str
    candles: list[list[float]]


@asynccontextmanager
async def _with_model(application: FastAPI) -> AsyncIterator[None]:
    application.state.model = KerasModel()
    application.state.model.network.predict(application.state.model.empty_frame, verbose=0)
    yield


app = FastAPI(lifespan=_with_model)


@app.post("/predictions")
def predictions(request: PredictionRequest) -> dict[str, Any]:
    model: KerasModel = app.state.model
    frame, range_pct = model.frame(request.symbol, request.interval, request.candles)
    return model.response(model.network.predict(frame, verbose=0), range_pct)
