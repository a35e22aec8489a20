import { keepPreviousData, QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Search } from "../lib/queryState";
import { asMoment } from "../lib/queryState";
import { get, Problem, send } from "./client";
import { trackersWithTracker } from "./merge";
import type { Alert, Alerts, CheckedQuery, History, Posts, QueryFilters, Series, Status, Tracker, Trackers, Verdict } from "./types";

/** The keys under which answers are kept; the live line writes to the same ones. */
export const KEYS = {
  status: ["status"],
  trackers: ["trackers"],
  alerts: ["alerts"],
  alert: (id: string) => ["alert", id],
  pastAlerts: (tracker: string) => ["alerts", "of", tracker],
  everySeries: ["tracker-series"],
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
  // The live line makes a new list of what has changed; comparing hundreds of trackers in depth would only cost time.
  return useQuery({ queryKey: KEYS.trackers, queryFn: () => get<Trackers>("/trackers"), structuralSharing: false });
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

export function useTrackerSeries(tracker: string, windowS: number, hours: number) {
  return useQuery({
    queryKey: [...KEYS.trackerSeries(tracker), windowS, hours],
    queryFn: () => get<Series>(`/trackers/${encodeURIComponent(tracker)}/series`, { hours, window_s: windowS }),
    placeholderData: keepPreviousData,
  });
}

/** Posts that match; with `everyMs` they are looked for again and again while the page is seen. */
export function usePosts(search: Search, everyMs?: number) {
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
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
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

/** What an editor says of a tracker; what is left out stays, or is as the settings say. */
export interface TrackerDraft {
  name?: string;
  query?: string;
  promise_days?: number;
  country?: string | null;
  reach_followers?: number | null;
  reach_share?: number | null;
  count_by?: "created_at" | "observed_at";
}

/** Add a tracker, or change the one with this id. */
export function useSaveTracker(id: string | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (draft: TrackerDraft) =>
      id === undefined
        ? send<Tracker>("POST", "/trackers", draft)
        : send<Tracker>("PUT", `/trackers/${encodeURIComponent(id)}`, draft),
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

/** What a query means, or where it is wrong; asked for what stands in an editor. */
export function useCheckedQuery(query: string, forTracker: boolean) {
  return useQuery({
    queryKey: ["checked-query", query, forTracker],
    queryFn: () => send<CheckedQuery>("POST", "/queries/check", { query, for_tracker: forTracker }),
    enabled: query !== "",
    gcTime: 60_000,
  });
}

export function useQueryFilters() {
  return useQuery({ queryKey: ["query-filters"], queryFn: () => get<QueryFilters>("/queries/filters") });
}
