import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { createStore } from "../lib/store";
import { get, liveAddress } from "./client";
import { type ConnectionState, LiveConnection, waitBefore } from "./live";
import {
  alertsWithAlert,
  removesTracker,
  seriesWithWindow,
  trackersWithAlert,
  trackersWithTracker,
  trackersWithWindows,
} from "./merge";
import { liveMultiples } from "./multiples";
import { KEYS } from "./queries";
import { TOPIC_KEYS, topicsWith, type TopicState } from "./topics";
import type { Alerts, Change, Series, Status, Topics, Trackers } from "./types";

export const connection = createStore<ConnectionState>({ kind: "connecting" });

/** What a screen reader is told when an alert arrives; empty until then. */
export const announcement = createStore("");

let live: LiveConnection | null = null;

export function retryNow(): void {
  live?.retryNow();
}

/** Bring one change into the answers that the page holds. */
export function applyChange(client: QueryClient, change: Change): void {
  const { windows, alert, tracker, status } = change;
  if (status) client.setQueryData<Status>(KEYS.status, status);
  if (windows) {
    const mainS = client.getQueryData<Status>(KEYS.status)?.window_s ?? 300;
    const windowS = change.window_s ?? mainS;
    if (windowS === mainS) {
      client.setQueryData<Trackers>(KEYS.trackers, (known) => known && trackersWithWindows(known, windows));
    }
    liveMultiples.take(windowS, windows);
    for (const [key, series] of client.getQueriesData<Series>({ queryKey: KEYS.everySeries })) {
      const window = series && series.window_s === windowS ? windows[series.tracker] : undefined;
      if (series && window) client.setQueryData<Series>(key, seriesWithWindow(series, window, Number(key.at(-1)) * 3_600_000));
    }
  }
  if (alert) {
    const known = client.getQueryData<Alerts>(KEYS.alerts)?.items.some((other) => other.id === alert.id);
    client.setQueryData<Alerts>(KEYS.alerts, (alerts) => alerts && alertsWithAlert(alerts, alert));
    client.setQueryData<Trackers>(KEYS.trackers, (trackers) => trackers && trackersWithAlert(trackers, alert));
    void client.invalidateQueries({ queryKey: KEYS.alert(alert.id) });
    void client.invalidateQueries({ queryKey: KEYS.pastAlerts(alert.tracker) });
    if (!known && alert.closed_at === null) announcement.set(`New alert: ${alert.headline}`);
  }
  const { topic } = change;
  if (topic) {
    for (const [key, topics] of client.getQueriesData<Topics>({ queryKey: TOPIC_KEYS.lists })) {
      if (topics) client.setQueryData<Topics>(key, topicsWith(topics, topic, key.at(-1) as TopicState));
    }
    void client.invalidateQueries({ queryKey: TOPIC_KEYS.one(topic.id) });
  }
  if (tracker || removesTracker(change)) {
    const id = tracker?.id ?? change.subject;
    client.setQueryData<Trackers>(KEYS.trackers, (known) => known && trackersWithTracker(known, id, tracker ?? null));
  }
}

/** Hold the page's line to the server for as long as the page is open. */
export function useLive(): void {
  const client = useQueryClient();
  useEffect(() => {
    let stopped = false;
    let timer = 0;
    let tries = 0;

    const refresh = () => {
      void client.invalidateQueries();
      liveMultiples.refresh();
    };
    const begin = async () => {
      let status: Status;
      try {
        status = await client.fetchQuery({ queryKey: KEYS.status, queryFn: () => get<Status>("/status"), staleTime: 0 });
      } catch {
        if (stopped) return;
        tries += 1;
        const wait = waitBefore(tries);
        connection.set({ kind: "lost", retryAt: Date.now() + wait, tries });
        timer = window.setTimeout(begin, wait);
        return;
      }
      if (stopped) return;
      if (tries > 0) refresh();
      tries = 0;
      live = new LiveConnection(status.seq, {
        address: liveAddress,
        connect: (address) => new WebSocket(address),
        onChange: (change) => applyChange(client, change),
        onState: (state) => {
          connection.set(state);
          // What the line does not carry (posts, evidence) may have changed meanwhile.
          if (state.kind === "open" && state.recovered) refresh();
        },
        onStale: () => {
          tries = 1; // so that everything is loaded anew, after the new number is known and not before
          void begin();
        },
      });
      live.start();
    };

    void begin();
    return () => {
      stopped = true;
      clearTimeout(timer);
      live?.stop();
      live = null;
    };
  }, [client]);
}
