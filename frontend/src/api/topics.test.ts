import { expect, it } from "vitest";
import { topicsWith } from "./topics";
import type { Topics, TopicSummary } from "./types";

const minute = (n: number) => new Date(Date.UTC(2026, 10, 20, 12, n)).toISOString();
const topic = (id: string, fields: Partial<TopicSummary> = {}) =>
  ({ id, rank: 1, opened_at: minute(0), updated_at: minute(5), closed_at: null, ...fields }) as TopicSummary;

it("keeps what is open first, by rank, and counts it once", () => {
  const none: Topics = { items: [], open: 0, next: null };
  const one = topicsWith(none, topic("a"), "all");
  const two = topicsWith(one, topic("b", { rank: 9 }), "all");
  const again = topicsWith(two, topic("b", { rank: 8, updated_at: minute(6) }), "all");
  expect(again.items.map((each) => each.id)).toEqual(["b", "a"]);
  expect(again.open).toBe(2);
  const over = topicsWith(again, topic("b", { closed_at: minute(9), updated_at: minute(9) }), "all");
  expect([over.items.map((each) => each.id), over.open]).toEqual([["a", "b"], 1]);
});

it("lets go of a topic that is over where only open ones are listed, and takes no older form", () => {
  const open: Topics = { items: [topic("a", { updated_at: minute(7) })], open: 1, next: null };
  expect(topicsWith(open, topic("a", { updated_at: minute(6), closed_at: minute(6) }), "open")).toBe(open);
  expect(topicsWith(open, topic("a", { updated_at: minute(8), closed_at: minute(8) }), "open")).toMatchObject({ items: [], open: 0 });
});
