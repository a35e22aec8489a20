import type { Status } from "../api/types";
import * as format from "./format";

export interface ReaderLine {
  name: string;
  behind: number;
  lateS: number;
}

type BusStatus = Pick<Status, "bus" | "readers" | "partitions">;

const ON_SPARK: readonly string[] = ["watch", "lake"];

const topicsOf = (status: BusStatus, consumers: readonly string[]) => [
  ...new Set(status.partitions.filter((each) => consumers.includes(each.consumer)).map((each) => each.topic)),
];

/** What the bus is, in a word or two. */
export function kindOfBus(status: BusStatus): string {
  const onSpark = topicsOf(status, ON_SPARK);
  if (onSpark.length > 0) return `Kafka on Spark, ${onSpark.join(", ")}`;
  if (status.bus === "journal") return "Journal";
  return `Kafka, ${status.bus.slice(status.bus.lastIndexOf("/") + 1)}`;
}

/** The bus with all that is known of where it is. */
export function namesOf(status: BusStatus): string {
  const count = new Set(status.partitions.map((each) => `${each.topic}/${each.partition}`)).size;
  const partitions = count > 0 ? `, ${format.counted(count, "partitions")}` : "";
  return `${status.bus === "journal" ? "the journal of this home" : status.bus}${partitions}`;
}

/** Who is how far: what is still to be taken from Kafka, then the watch and the lake. */
export function readersOf(status: BusStatus): ReaderLine[] {
  const taken = status.partitions.filter((each) => !ON_SPARK.includes(each.consumer));
  const lines = status.readers.map((each) => ({ name: each.reader, behind: each.behind, lateS: each.late_s }));
  if (taken.length === 0) return lines;
  const behind = taken.reduce((sum, each) => sum + each.behind, 0);
  return [{ name: "taken", behind, lateS: Math.max(0, ...taken.map((each) => each.late_s ?? 0)) }, ...lines];
}

/** How far behind, in records and time. */
export function lagOf(reader: ReaderLine): string {
  if (reader.behind === 0) return "up to date";
  return `${format.count(reader.behind)} · ${format.duration(reader.lateS)}`;
}
