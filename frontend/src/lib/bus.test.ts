import { expect, test } from "vitest";
import type { Status } from "../api/types";
import { kindOfBus, lagOf, namesOf, readersOf } from "./bus";

type Partition = Status["partitions"][number];

const partition = (consumer: string, number: number, behind = 0, late_s: number | null = 0): Partition => ({
  consumer,
  topic: "posts",
  partition: number,
  next_offset: 10,
  end_offset: 10 + behind,
  behind,
  late_s,
  reading: true,
  owner: null,
  lost: 0,
});

const status = (bus: string, partitions: Partition[] = []) => ({
  bus,
  partitions,
  readers: [
    { reader: "watch" as const, behind: 0, late_s: 0 },
    { reader: "lake" as const, behind: 8240, late_s: 18.4 },
  ],
});

test("the journal has two readers", () => {
  const journal = status("journal");
  expect(kindOfBus(journal)).toBe("Journal");
  expect(readersOf(journal).map(lagOf)).toEqual(["up to date", "8,240 · 18\u00a0s"]);
});

test("of Kafka the topic is named, and what is still to be taken comes first", () => {
  const kafka = status("kafka://a:9092/posts", [partition("bus", 0, 3, 0.4), partition("bus", 1, 4, null)]);
  expect(kindOfBus(kafka)).toBe("Kafka, posts");
  expect(namesOf(kafka)).toBe("kafka://a:9092/posts, 2 partitions");
  expect(readersOf(kafka)[0]).toEqual({ name: "taken", behind: 7, lateS: 0.4 });
});

test("on Spark watch and lake read the topic themselves", () => {
  const spark = status("journal", [partition("watch", 0), partition("lake", 0)]);
  expect(kindOfBus(spark)).toBe("Kafka on Spark, posts");
  expect(readersOf(spark).map((each) => each.name)).toEqual(["watch", "lake"]);
});
