import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, send } from "../api/client";
import type {
  Drift,
  Import,
  ImportOptions,
  Imports,
  Inflow,
  Layouts,
  Profile,
  Quarantine,
  QuarantineRecord,
  Retried,
  RetryRequest,
  Sources,
} from "../api/types";

/** How often the page looks again, milliseconds: while an import is on its way, and otherwise. */
const BUSY_MS = 700;
const CALM_MS = 15_000;

/** What the chart can show: hours back, and seconds of a bar. */
export const SPANS = [
  { name: "24 hours", hours: 24, step: 900 },
  { name: "3 days", hours: 72, step: 3600 },
  { name: "2 weeks", hours: 336, step: 14_400 },
  { name: "3 months", hours: 2160, step: 86_400 },
] as const;
export type Span = (typeof SPANS)[number];

const KEYS = {
  sources: ["sources"],
  inflow: ["inflow"],
  imports: ["imports"],
  quarantine: ["quarantine"],
  drift: ["drift"],
} as const;

const isBusy = (one: Import) => one.state === "looking" || one.state === "waiting" || one.state === "running";

export function useSources() {
  return useQuery({ queryKey: KEYS.sources, queryFn: () => get<Sources>("/sources"), refetchInterval: 5_000 });
}

export function useInflow(span: Span) {
  return useQuery({
    queryKey: [...KEYS.inflow, span.hours],
    queryFn: () => get<Inflow>("/inflow", { hours: span.hours, step: span.step }),
    refetchInterval: CALM_MS,
    placeholderData: keepPreviousData,
  });
}

export function useImports() {
  return useQuery({
    queryKey: KEYS.imports,
    queryFn: () => get<Imports>("/imports", { limit: 50 }),
    refetchInterval: (query) => (query.state.data?.items.some(isBusy) ? BUSY_MS : CALM_MS),
  });
}

export function useLayouts(enabled: boolean) {
  return useQuery({ queryKey: ["layouts"], queryFn: () => get<Layouts>("/layouts"), enabled });
}

export interface HeldFilter {
  reason?: string;
  origin?: string;
}

export function useQuarantine(filter: HeldFilter = {}, limit = 100, enabled = true) {
  return useQuery({
    queryKey: [...KEYS.quarantine, filter.reason ?? null, filter.origin ?? null, limit],
    queryFn: () => get<Quarantine>("/quarantine", { ...filter, state: "held", limit }),
    refetchInterval: CALM_MS,
    enabled,
  });
}

export function useQuarantined(id: string) {
  return useQuery({
    queryKey: [...KEYS.quarantine, "one", id],
    queryFn: () => get<QuarantineRecord>(`/quarantine/${encodeURIComponent(id)}`),
  });
}

export function useDrift() {
  return useQuery({ queryKey: KEYS.drift, queryFn: () => get<Drift>("/drift"), refetchInterval: 30_000 });
}

/** The profile of what a platform (empty: any) holds; it is read only when it is asked for. */
export function useProfile(platform: string, enabled: boolean) {
  return useQuery({
    queryKey: ["profile", platform],
    queryFn: () => get<Profile>("/profile", { platform }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    enabled,
  });
}

export interface NewLayout {
  name: string;
  map: Record<string, string>;
  platform: string | null;
  tz: string | null;
}

export function useSaveLayout() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (layout: NewLayout) => send<Layouts>("POST", "/layouts", layout),
    onSuccess: (layouts) => client.setQueryData<Layouts>(["layouts"], layouts),
  });
}

/** Everything that an import or a retry may have changed. */
export function useRefresh() {
  const client = useQueryClient();
  return () => {
    for (const queryKey of Object.values(KEYS)) void client.invalidateQueries({ queryKey });
    void client.invalidateQueries({ queryKey: ["posts"] });
  };
}

function withImport(imports: Imports, one: Import): Imports {
  const known = imports.items.some((other) => other.id === one.id);
  const items = known ? imports.items.map((other) => (other.id === one.id ? one : other)) : [one, ...imports.items];
  return { ...imports, items };
}

export function useImportChange() {
  const client = useQueryClient();
  return (one: Import) => {
    client.setQueryData<Imports>(KEYS.imports, (known) => known && withImport(known, one));
    void client.invalidateQueries({ queryKey: KEYS.imports });
  };
}

/** Look again with other options, or import with them. */
export function useImportStep(step: "preview" | "start") {
  const changed = useImportChange();
  return useMutation({
    mutationFn: ({ id, options }: { id: string; options?: ImportOptions }) =>
      send<Import>("POST", `/imports/${id}/${step}`, options),
    onSuccess: changed,
  });
}

export function useGiveUp() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send<undefined>("DELETE", `/imports/${id}`),
    onSettled: () => void client.invalidateQueries({ queryKey: KEYS.imports }),
  });
}

export function useRetry() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (request: Partial<RetryRequest>) => send<Retried>("POST", "/quarantine/retry", request),
    onSettled: refresh,
  });
}
