import { expect, it } from "vitest";
import type { Channel, ChannelKind } from "../api/types";
import { changedChannelOf, draftOfChannel, emptyDraft, newChannelOf, settingsOf } from "./draft";

const email = {
  kind: "email",
  local: false,
  settings: [
    { name: "host", form: "text" },
    { name: "port", form: "number" },
    { name: "to", form: "list" },
    { name: "password_secret", form: "secret" },
  ],
} as unknown as ChannelKind;

it("writes settings as the API takes them and leaves out what is empty", () => {
  const draft = { ...emptyDraft("email"), settings: { host: " smtp.example.org ", port: "587", to: "a@b.org, c@d.org\n", password_secret: "" } };
  expect(settingsOf(draft, email)).toEqual({ host: "smtp.example.org", port: 587, to: ["a@b.org", "c@d.org"] });
  expect(newChannelOf({ ...draft, name: " Team " }, email)).toMatchObject({
    name: "Team",
    trackers: null,
    least_days: null,
    events: ["opened", "closed"],
    templates: null,
  });
});

it("reads a channel and writes it back as it was, with the words that only the command line writes", () => {
  const channel = {
    name: "Team",
    kind: "email",
    settings: { host: "smtp.example.org", port: 587, to: ["a@b.org"], url: null },
    trackers: [{ id: "t1", name: "Shoes" }],
    least_days: 7,
    events: ["opened"],
    quiet: { start: "22:00", end: "07:00", tz: "UTC", then: "digest", days: ["mon", "tue"] },
    templates: { title: "$tracker", text: null, body: "{}" },
    report_to: null,
    max_age_hours: 6,
  } as unknown as Channel;
  expect(changedChannelOf(draftOfChannel(channel), email, channel)).toEqual({
    settings: { host: "smtp.example.org", port: 587, to: ["a@b.org"] },
    trackers: ["t1"],
    least_days: 7,
    events: ["opened"],
    quiet: { start: "22:00", end: "07:00", tz: "UTC", then: "digest", days: ["mon", "tue"] },
    templates: { title: "$tracker", text: null, body: "{}" },
    report_to: null,
    max_age_hours: 6,
  });
});
