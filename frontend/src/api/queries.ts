import { keepPreviousData, QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Search } from "../lib/queryState";
import { asMoment } from "../lib/queryState";
import { get, Problem, send } from "./client";
import { trackersWithTracker } from "./merge";
import type { Alert, Alerts, AllSeries, History, Posts, Series, Status, Tracker, Trackers, Verdict } from "./types";

/** Hours that the small multiples show. */
export const LIVE_HOURS = 12;

/** The keys under which answers are kept; the live line writes to the same ones. */
export const KEYS = {
  status: ["status"],
  trackers: ["trackers"],
  series: ["series", LIVE_HOURS],
  alerts: ["alerts"],
  alert: (id: string) => ["alert", id],
  pastAlerts: (tracker: string) => ["alerts", "of", tracker],
  trackerSeries: (tracker: string) => ["tracker-series", tracker],
  posts: (search: Search) => ["posts", search],
} as const;

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The live line keeps the answers fresh; what it does not cover asks again by itself.
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        networkMode: "always",
        // A refusal stays one; a server that does not answer is asked again when the live line is back.
        retry: (failures, error) => !(error instanceof Problem) && failures < 1,
        retryDelay: 500,
      },
      mutations: { networkMode: "always" },
    },
  });
}

export function useStatus() {
  return useQuery({
    queryKey: KEYS.status,
    queryFn: () => get<Status>("/status"),
    refetchInterval: 10_000,
  });
}

export function useTrackers() {
  return useQuery({ queryKey: KEYS.trackers, queryFn: () => get<Trackers>("/trackers") });
}

export function useAllSeries() {
  return useQuery({ queryKey: KEYS.series, queryFn: () => get<AllSeries>("/series", { hours: LIVE_HOURS }) });
}

export function useAlerts() {
  return useQuery({ queryKey: KEYS.alerts, queryFn: () => get<Alerts>("/alerts", { limit: 50 }) });
}

export function useAlert(id: string) {
  return useQuery({ queryKey: KEYS.alert(id), queryFn: () => get<Alert>(`/alerts/${encodeURIComponent(id)}`) });
}

export function usePastAlerts(tracker: string | undefined) {
  return useQuery({
    queryKey: KEYS.pastAlerts(tracker ?? ""),
    queryFn: () => get<Alerts>("/alerts", { tracker, limit: 500 }),
    enabled: tracker !== undefined,
  });
}

export function useTrackerSeries(tracker: string, hours: number) {
  return useQuery({
    queryKey: [...KEYS.trackerSeries(tracker), hours],
    queryFn: () => get<Series>(`/trackers/${encodeURIComponent(tracker)}/series`, { hours }),
    placeholderData: keepPreviousData,
  });
}

export function usePosts(search: Search, enabled = true) {
  return useQuery({
    queryKey: KEYS.posts(search),
    queryFn: () =>
      get<Posts>("/posts", {
        q: search.q,
        platform: search.platform,
        since: asMoment(search.since, false),
        until: asMoment(search.until, true),
        sort: search.sort,
        limit: search.limit,
        origin: search.origin,
      }),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
    enabled,
  });
}

/** Every observation of one post. */
export function useHistory(platform: string, id: string) {
  return useQuery({
    queryKey: ["history", platform, id],
    queryFn: () => get<History>(`/posts/${encodeURIComponent(platform)}/${encodeURIComponent(id)}/history`),
    staleTime: 30_000,
  });
}

export interface NewTracker {
  name: string;
  query: string;
}

export function useAddTracker() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (tracker: NewTracker) => send<Tracker>("POST", "/trackers", tracker),
    onSuccess: (tracker) => {
      client.setQueryData<Trackers>(KEYS.trackers, (known) => known && trackersWithTracker(known, tracker.id, tracker));
    },
  });
}

export function useRemoveTracker(onGone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send<undefined>("DELETE", `/trackers/${encodeURIComponent(id)}`),
    onSuccess: (_, id) => {
      onGone();
      // Its open alert ends with it.
      void client.invalidateQueries({ queryKey: KEYS.alerts });
      client.setQueryData<Trackers>(KEYS.trackers, (known) => known && trackersWithTracker(known, id, null));
    },
  });
}

export function useVerdict(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (verdict: Verdict | null) =>
      send<Alert>("PUT", `/alerts/${encodeURIComponent(id)}/verdict`, { verdict }),
    onSuccess: (alert) => {
      client.setQueryData<Alert>(KEYS.alert(id), alert);
      void client.invalidateQueries({ queryKey: KEYS.alerts });
    },
  });
}
