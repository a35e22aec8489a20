import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { who } from "../lib/who";
import { get, send } from "./client";
import { KEYS } from "./queries";
import type { Alert, Precision, Recomputed, Verdict } from "./types";

/** What somebody changes of an alert; what is left out stays. */
export interface AlertChange {
  acknowledged?: boolean;
  snoozed_until?: string | null;
  verdict?: Verdict | null;
  note?: string | null;
}

const path = (id: string) => `/alerts/${encodeURIComponent(id)}`;

/** The name that somebody gave for what they do; the server has one of its own otherwise. */
function signed<T extends object>(body: T): T & { by?: string } {
  const by = who.get().trim();
  return by ? { ...body, by } : body;
}

function useTaken(id: string) {
  const client = useQueryClient();
  return (alert: Alert) => {
    client.setQueryData<Alert>(KEYS.alert(id), alert);
    void client.invalidateQueries({ queryKey: KEYS.alerts });
  };
}

/** Acknowledge, snooze, judge: the answer is the alert as it is then. */
export function useChangeAlert(id: string) {
  const onSuccess = useTaken(id);
  return useMutation({ mutationFn: (change: AlertChange) => send<Alert>("PATCH", path(id), signed(change)), onSuccess });
}

export function useComment(id: string) {
  const onSuccess = useTaken(id);
  return useMutation({
    mutationFn: (text: string) => send<Alert>("POST", `${path(id)}/comments`, signed({ text })),
    onSuccess,
  });
}

/** The card made again from the lake; asked for only when somebody wants to know. */
export function useRecomputed(id: string, wanted: boolean) {
  return useQuery({
    queryKey: ["recomputed", id],
    queryFn: () => get<Recomputed>(`${path(id)}/recomputed`),
    enabled: wanted,
    staleTime: 0,
  });
}

/** How often alerts were worth it over some days: of one tracker, or of all. */
export function usePrecision(tracker: string | null, days: number) {
  return useQuery({
    queryKey: ["precision", tracker, days],
    queryFn: () => get<Precision>("/alerts/precision", { tracker, days }),
    staleTime: 30_000,
  });
}
