import { useQuery } from "@tanstack/react-query";
import { get } from "./client";
import type { Topic, Topics, TopicSummary } from "./types";

export const TOPIC_KEYS = {
  lists: ["topics", "list"],
  list: (state: string) => ["topics", "list", state],
  one: (id: string) => ["topics", "one", id],
} as const;

export type TopicState = "all" | "open" | "closed";

export function useTopics(state: TopicState, limit = 100) {
  return useQuery({
    queryKey: TOPIC_KEYS.list(state),
    queryFn: () => get<Topics>("/topics", { state, limit }),
    structuralSharing: false,
  });
}

export function useTopic(id: string) {
  return useQuery({ queryKey: TOPIC_KEYS.one(id), queryFn: () => get<Topic>(`/topics/${encodeURIComponent(id)}`) });
}

/** Open ones first, by rank; then those that are over, newest first: the order of the server. */
export function topicOrder(a: TopicSummary, b: TopicSummary): number {
  const over = Number(a.closed_at !== null) - Number(b.closed_at !== null);
  if (over !== 0) return over;
  if (a.closed_at === null) return b.rank - a.rank || a.id.localeCompare(b.id);
  return Date.parse(b.opened_at) - Date.parse(a.opened_at) || a.id.localeCompare(b.id);
}

/** Topics with this one in its newest form; a list of open ones lets go of it when it is over. */
export function topicsWith(topics: Topics, topic: TopicSummary, state: TopicState): Topics {
  const known = topics.items.find((other) => other.id === topic.id);
  if (known && Date.parse(known.updated_at) > Date.parse(topic.updated_at)) return topics;
  const isOpen = (one: TopicSummary | undefined) => Number(one !== undefined && one.closed_at === null);
  const fits = state === "all" || (state === "open") === (topic.closed_at === null);
  const others = topics.items.filter((other) => other.id !== topic.id);
  return {
    ...topics,
    items: fits ? [...others, topic].sort(topicOrder) : others,
    open: Math.max(0, topics.open + isOpen(topic) - isOpen(known)),
  };
}
