import type { components } from "./schema";

/** The documents of the REST API under the names that the page uses. */
type Schemas = components["schemas"];

export type Alert = Schemas["Alert"];
export type Alerts = Schemas["Alerts"];
export type AlertSummary = Schemas["AlertSummary"];
export type AllSeries = Schemas["AllSeries"];
export type Change = Schemas["Change"];
export type Check = Schemas["Check"];
export type Driver = Schemas["Driver"];
export type EvidencePost = Schemas["EvidencePost"];
export type Post = Schemas["Post"];
export type Posts = Schemas["Posts"];
export type ProblemDocument = Schemas["Problem"];
export type Series = Schemas["Series"];
export type Status = Schemas["Status"];
export type Tracker = Schemas["Tracker"];
export type Trackers = Schemas["Trackers"];
export type Verdict = NonNullable<AlertSummary["verdict"]>;
export type Window = Schemas["Window"];
export type Word = Schemas["Word"];
