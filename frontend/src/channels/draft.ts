import type { ChangedChannel, Channel, ChannelKind, ChannelSettings, NewChannel } from "../api/types";

/** A channel as it is written in the form: every field a text, as the form has it. */
export interface ChannelDraft {
  name: string;
  kind: ChannelKind["kind"];
  /** By the names of the kind's settings; a list has one entry a line. */
  settings: Record<string, string>;
  /** Ids; empty: all trackers. */
  trackers: string[];
  leastDays: string;
  events: Channel["events"];
  /** Its days are chosen at the command line. */
  quiet: (Pick<NonNullable<Channel["quiet"]>, "start" | "end" | "tz" | "then"> & Partial<Pick<NonNullable<Channel["quiet"]>, "days">>) | null;
  /** A name. */
  reportTo: string;
  title: string;
  text: string;
}

export const EVENTS: readonly [Channel["events"][number], string][] = [
  ["opened", "an alert opens"],
  ["updated", "it changes its phase"],
  ["closed", "it is over"],
];

export function emptyDraft(kind: ChannelKind["kind"]): ChannelDraft {
  return {
    name: "",
    kind,
    settings: {},
    trackers: [],
    leastDays: "",
    events: ["opened", "closed"],
    quiet: null,
    reportTo: "",
    title: "",
    text: "",
  };
}

export function draftOfChannel(channel: Channel): ChannelDraft {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(channel.settings)) {
    if (value !== null && value !== undefined) settings[name] = Array.isArray(value) ? value.join("\n") : String(value);
  }
  return {
    name: channel.name,
    kind: channel.kind,
    settings,
    trackers: (channel.trackers ?? []).map((tracker) => tracker.id),
    leastDays: channel.least_days === null ? "" : String(channel.least_days),
    events: channel.events,
    quiet: channel.quiet,
    reportTo: channel.report_to ?? "",
    title: channel.templates?.title ?? "",
    text: channel.templates?.text ?? "",
  };
}

/** The settings as the API takes them: numbers as numbers, lists as lists, what is empty left out. */
export function settingsOf(draft: ChannelDraft, kind: ChannelKind): ChannelSettings {
  const settings: Record<string, unknown> = {};
  for (const { name, form } of kind.settings) {
    const text = (draft.settings[name] ?? "").trim();
    if (!text) continue;
    if (form === "number") settings[name] = Number(text);
    else if (form === "list") settings[name] = text.split(/[\n,]+/).map((entry) => entry.trim()).filter(Boolean);
    else settings[name] = text;
  }
  return settings as ChannelSettings;
}

export function templatesOf(draft: ChannelDraft): { title: string | null; text: string | null } | null {
  return draft.title.trim() || draft.text.trim() ? { title: draft.title.trim() || null, text: draft.text.trim() || null } : null;
}

function rulesOf(draft: ChannelDraft) {
  return {
    trackers: draft.trackers.length ? draft.trackers : null,
    least_days: draft.leastDays.trim() ? Number(draft.leastDays) : null,
    events: draft.events,
    quiet: draft.quiet,
    templates: templatesOf(draft),
    report_to: draft.reportTo || null,
  };
}

export function newChannelOf(draft: ChannelDraft, kind: ChannelKind): NewChannel {
  return { name: draft.name.trim(), kind: draft.kind, settings: settingsOf(draft, kind), ...rulesOf(draft), max_age_hours: 24 };
}

export function changedChannelOf(draft: ChannelDraft, kind: ChannelKind, before: Channel): ChangedChannel {
  const settings = kind.local ? {} : { settings: settingsOf(draft, kind) };
  const body = before.templates?.body;
  const templates = templatesOf(draft);
  return {
    ...settings,
    ...rulesOf(draft),
    // The JSON of a webhook is written at the command line; it stays as it is.
    templates: body ? { title: null, text: null, ...templates, body } : templates,
    max_age_hours: before.max_age_hours,
  };
}
