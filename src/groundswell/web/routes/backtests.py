"""Backtests: what a query would have alerted about, before somebody relies on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from groundswell.web.backtest_models import BacktestJob, BacktestJobs, NewBacktest
from groundswell.web.services import ServicesOf

router = APIRouter(prefix="/backtests", tags=["trackers"])
BacktestId = Annotated[str, Path(description="Id of the backtest.", max_length=32)]


@router.get("")
def list_backtests(services: ServicesOf) -> BacktestJobs:
    """The newest backtests of this server, without their results."""
    return BacktestJobs(items=services.backtests.listed())


@router.post("", status_code=202)
def start_backtest(services: ServicesOf, request: NewBacktest) -> BacktestJob:
    """Test a query over what the lake has: the same kernels that watch the stream, over history.

    It runs in a process of its own, one after the other; ask for it by its id until `state` is `done`.
    """
    return services.backtests.ask(request)


@router.get("/{identity}")
def show_backtest(services: ServicesOf, identity: BacktestId) -> BacktestJob:
    """One backtest: how far it is, and what came of it. They are kept until the server ends, the newest twenty."""
    return services.backtests.read(identity)


@router.delete("/{identity}", status_code=204)
def cancel_backtest(services: ServicesOf, identity: BacktestId) -> Response:
    """Give up a backtest (it stays listed as cancelled), or forget one that is over."""
    services.backtests.cancel(identity)
    return Response(status_code=204)
