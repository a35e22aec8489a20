import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, send } from "./client";
import type { BacktestJob, NewBacktest } from "./types";

/** How often a running test is asked how far it is, milliseconds. */
const POLL_MS = 500;

const path = (id: string) => `/backtests/${encodeURIComponent(id)}`;
const key = (id: string | null) => ["backtest", id];

export function isOver(job: BacktestJob): boolean {
  return job.state !== "waiting" && job.state !== "running";
}

/** Begin a test; the server does it beside its other work. */
export function useStartBacktest() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: NewBacktest) => send<BacktestJob>("POST", "/backtests", wanted),
    onSuccess: (job) => client.setQueryData<BacktestJob>(key(job.id), job),
  });
}

/** A test, asked for until it is over. */
export function useBacktest(id: string | null) {
  return useQuery({
    queryKey: key(id),
    queryFn: () => get<BacktestJob>(path(id ?? "")),
    enabled: id !== null,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : POLL_MS),
  });
}

export function useCancelBacktest() {
  return useMutation({ mutationFn: (id: string) => send<undefined>("DELETE", path(id)) });
}
